using System.Text.Json;
using System.Text.Json.Serialization;

namespace PannCore.Cli;

/// <summary>The JSON of what the verbs write and read again: indented, camelCase, non-finite numbers as "NaN", "Infinity", "-Infinity"; nothing that a record needs may be missing or null.</summary>
/// <remarks>By reflection: generated serializers were half of all that the compiler had to read before a first run.</remarks>
internal static class CliJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };
}
