namespace PannCore.Checkpoints;

/// <summary>Fills <paramref name="into"/> with the storage's bytes from <paramref name="offset"/> on; the caller has checked both against the storage's size.</summary>
internal delegate void StorageReader(TorchStorage storage, long offset, Span<byte> into);

/// <summary>What either of PyTorch's two formats comes down to.</summary>
/// <param name="Root">The saved object, as plain data.</param>
/// <param name="Storages">Bytes that the file really holds for each storage key.</param>
/// <param name="Read">Reads from a storage.</param>
internal sealed record TorchContents(object? Root, IReadOnlyDictionary<string, long> Storages, StorageReader Read);
