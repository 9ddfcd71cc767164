using System.Text.Json;
using System.Text.Json.Nodes;

namespace PannCore.Tests.Reports;

/// <summary>
/// Checks JSON against the part of draft 2020-12 that the inspection's schema uses, and one thing more: a member that an object's schema does not name is an error.
/// </summary>
internal static class SchemaErrors
{
    public static List<string> Of(JsonObject schema, JsonNode? value)
    {
        var errors = new List<string>();
        Check(schema, schema, value, "$", errors);
        return errors;
    }

    private static void Check(JsonObject root, JsonObject schema, JsonNode? value, string at, List<string> errors)
    {
        foreach ((string keyword, JsonNode? argument) in schema)
        {
            switch (keyword)
            {
                case "$schema" or "$id" or "$defs" or "title" or "description" or "readOnly":
                    break;
                case "$ref":
                    JsonNode target = root;
                    foreach (string step in argument!.GetValue<string>().Split('/').Skip(1)) target = target[step]!;
                    Check(root, target.AsObject(), value, at, errors);
                    break;
                case "type":
                    string[] types = argument is JsonArray list ? [.. list.Select(t => t!.GetValue<string>())] : [argument!.GetValue<string>()];
                    if (!types.Any(type => Is(type, value)))
                    {
                        errors.Add($"{at}: not {string.Join(" or ", types)}");
                        return;
                    }
                    break;
                case "const":
                    if (!JsonNode.DeepEquals(argument, value)) errors.Add($"{at}: not {argument}");
                    break;
                case "enum":
                    if (!argument!.AsArray().Any(option => JsonNode.DeepEquals(option, value))) errors.Add($"{at}: not one of {argument!.ToJsonString()}");
                    break;
                case "anyOf":
                    if (!argument!.AsArray().Any(option => Fits(root, option!.AsObject(), value, at))) errors.Add($"{at}: none of {argument.AsArray().Count} alternatives");
                    break;
                case "items":
                    if (value is JsonArray items)
                        for (int i = 0; i < items.Count; i++) Check(root, argument!.AsObject(), items[i], $"{at}[{i}]", errors);
                    break;
                case "properties" or "additionalProperties" or "required":
                    break; // below, together
                default:
                    throw new NotSupportedException($"keyword {keyword}");
            }
        }
        if (value is not JsonObject members || (schema["properties"] is null && schema["additionalProperties"] is null)) return;
        foreach ((string name, JsonNode? member) in members)
        {
            if ((schema["properties"]?[name] ?? schema["additionalProperties"]) is JsonObject inner) Check(root, inner, member, $"{at}.{name}", errors);
            else errors.Add($"{at}.{name}: not in the schema");
        }
        foreach (JsonNode? name in schema["required"]?.AsArray() ?? [])
        {
            if (!members.ContainsKey(name!.GetValue<string>())) errors.Add($"{at}: no {name}");
        }
    }

    private static bool Fits(JsonObject root, JsonObject schema, JsonNode? value, string at)
    {
        var errors = new List<string>();
        Check(root, schema, value, at, errors);
        return errors.Count == 0;
    }

    private static bool Is(string type, JsonNode? value) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("null", JsonValueKind.Null) or ("string", JsonValueKind.String) or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("number", JsonValueKind.Number) => true,
        ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
        ("integer", JsonValueKind.Number) => value!.GetValue<JsonElement>().GetRawText().All(c => char.IsAsciiDigit(c) || c == '-'),
        _ => false,
    };
}
