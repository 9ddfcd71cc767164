using System.Text.Json;
using System.Text.Json.Serialization;

namespace PannCore.Training;

/// <summary>The JSON of recipes and histories: camelCase, non-finite numbers as "NaN", "Infinity", "-Infinity", choices by name.</summary>
internal static class TrainingJson
{
    public static JsonSerializerOptions Options { get; } = new JsonSerializerOptions
    {
        AllowDuplicateProperties = false,
        RespectRequiredConstructorParameters = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    }.Fixed();
}
