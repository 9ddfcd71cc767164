using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PannCore.Cli;

/// <summary>The JSON of what the verbs write and read again: indented, camelCase, choices by name, non-finite numbers as "NaN", "Infinity", "-Infinity"; nothing that a record needs may be missing, null or given twice.</summary>
internal static class CliJson
{
    public static JsonSerializerOptions Options { get; } = new JsonSerializerOptions
    {
        WriteIndented = true,
        NewLine = "\n",
        // Written to files, never into a page: a + is a +.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter() },
    }.Fixed();
}
