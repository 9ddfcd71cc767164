namespace PannCore.Checkpoints;

/// <summary>Bytes of a file, known to lie within it.</summary>
/// <param name="Start">The first.</param>
/// <param name="Length">How many.</param>
/// <param name="Checksum">Their CRC-32, where the file says it: PyTorch can leave it out of a zip file, which then says 0.</param>
internal readonly record struct FileRange(long Start, long Length, uint? Checksum = null);

/// <summary>What either of PyTorch's two formats comes down to.</summary>
/// <param name="Root">The saved object, as plain data.</param>
/// <param name="Folder">What stands before a storage's key in the name of its zip entry; empty in the stream format.</param>
/// <param name="Storages">Where the file holds the elements of each storage, by key.</param>
internal sealed record TorchContents(object? Root, string Folder, IReadOnlyDictionary<string, FileRange> Storages);
