namespace PannCore.Checkpoints;

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">The arrays by name, in the order of the file's header.</param>
/// <param name="Metadata">Free texts by key; empty where the file has none.</param>
public sealed record SafeTensorsFile(IReadOnlyDictionary<string, NamedArray> Tensors, IReadOnlyDictionary<string, string> Metadata);
