using System.Text.Json.Serialization;

namespace PannCore.Checkpoints;

/// <summary>Source-generated JSON of a model file's metadata.</summary>
[JsonSerializable(typeof(Dictionary<string, double>))]
internal sealed partial class ModelJson : JsonSerializerContext;
