namespace PannCore.Checkpoints;

/// <summary>Bytes of a file, known to lie within it.</summary>
internal readonly record struct FileRange(long Start, long Length);

/// <summary>What either of PyTorch's two formats comes down to.</summary>
/// <param name="Root">The saved object, as plain data.</param>
/// <param name="Storages">Where the file holds the elements of each storage, by key.</param>
internal sealed record TorchContents(object? Root, IReadOnlyDictionary<string, FileRange> Storages);
