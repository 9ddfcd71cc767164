using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PannCore.Diagnostics;
using PannCore.Reports;

namespace PannCore.Tests.Reports;

/// <summary>
/// The JSON schema (draft 2020-12) of an inspection record, made from what writes the record, the serializer's own metadata, and from the XML documentation of the types.
/// The runtime's exporter is not used: it forgets the null of optional numbers and repeats a type wherever it occurs.
/// </summary>
internal sealed partial class InspectionSchema
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SortedDictionary<string, JsonNode?> _definitions = new(StringComparer.Ordinal)
    {
        ["number"] = new JsonObject
        {
            ["description"] = "A double; one that is not finite is a string.",
            ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "number" }, new JsonObject { ["enum"] = new JsonArray("NaN", "Infinity", "-Infinity") }),
        },
    };

    private readonly Dictionary<string, XElement> _documentation = XDocument.Load(Path.ChangeExtension(typeof(RunRecord).Assembly.Location, ".xml"))
        .Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    public static string FileName { get; } = FormattableString.Invariant($"inspection-{RunRecord.CurrentSchema}.schema.json");

    public static string Text() => new InspectionSchema().Whole().ToJsonString(Layout) + "\n";

    private JsonObject Whole()
    {
        JsonObject record = Definition(RunRecordJson.Options.GetTypeInfo(typeof(RunRecord)));
        record["properties"]!["schema"]!.AsObject()["const"] = RunRecord.CurrentSchema;
        var whole = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = FormattableString.Invariant($"urn:panncore:schema:inspection:{RunRecord.CurrentSchema}"),
            ["title"] = "PannCore inspection record",
        };
        foreach ((string name, JsonNode? value) in record.ToArray())
        {
            record.Remove(name);
            whole[name] = value;
        }
        whole["$defs"] = new JsonObject(_definitions);
        return whole;
    }

    private JsonObject Definition(JsonTypeInfo type)
    {
        var properties = new JsonObject();
        foreach (JsonPropertyInfo property in type.Properties.Where(p => p.Get is not null))
        {
            JsonObject schema = Schema(property.PropertyType, property.IsGetNullable);
            if (Documentation($"P:{type.Type.FullName}.{((System.Reflection.MemberInfo)property.AttributeProvider!).Name}") is string text) schema["description"] = text;
            if (property.Set is null && property.AssociatedParameter is null) schema["readOnly"] = true; // follows from others
            properties[property.Name] = schema;
        }
        return new JsonObject
        {
            ["description"] = Documentation($"T:{type.Type.FullName}"),
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([.. type.Properties.Where(p => p.IsRequired).Select(p => (JsonNode?)p.Name)]),
        };
    }

    private JsonObject Schema(Type type, bool nullable)
    {
        if (Nullable.GetUnderlyingType(type) is Type value) (type, nullable) = (value, true);
        JsonObject schema = type switch
        {
            _ when type == typeof(string) => new() { ["type"] = "string" },
            _ when type == typeof(bool) => new() { ["type"] = "boolean" },
            _ when type == typeof(int) || type == typeof(long) => new() { ["type"] = "integer" },
            _ when type == typeof(double) => Reference("number"),
            _ => Composed(RunRecordJson.Options.GetTypeInfo(type)),
        };
        if (!nullable) return schema;
        if (schema["type"] is JsonValue simple)
        {
            schema["type"] = new JsonArray(simple.DeepClone(), "null");
            return schema;
        }
        return new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
    }

    private JsonObject Composed(JsonTypeInfo info)
    {
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                return new() { ["type"] = "array", ["items"] = Schema(info.ElementType!, nullable: false) };
            case JsonTypeInfoKind.Dictionary:
                return new() { ["type"] = "object", ["additionalProperties"] = Schema(info.ElementType!, nullable: false) };
            case JsonTypeInfoKind.Object:
                if (_definitions.TryAdd(info.Type.Name, null)) _definitions[info.Type.Name] = Definition(info);
                return Reference(info.Type.Name);
            default:
                throw new NotSupportedException($"{info.Type}: {info.Kind}");
        }
    }

    private static JsonObject Reference(string definition) => new() { ["$ref"] = $"#/$defs/{definition}" };

    private string? Documentation(string member)
    {
        if (!_documentation.TryGetValue(member, out XElement? element) || element.Element("summary") is not { } summary) return null;
        foreach (XElement part in summary.Descendants().ToArray())
        {
            string? named = (part.Attribute("cref") ?? part.Attribute("name"))?.Value;
            if (named is not null) part.ReplaceWith(named[(named.LastIndexOfAny(['.', ':']) + 1)..]);
        }
        return Spaces().Replace(summary.Value, " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
