using System.Text.Json.Serialization;

namespace PannCore.Training;

/// <summary>Source-generated JSON of recipes and histories.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Recipe))]
[JsonSerializable(typeof(List<EpochResult>))]
internal sealed partial class TrainingJson : JsonSerializerContext;
