namespace PannCore.Checkpoints;

/// <summary>A kind of storage; <see cref="Type"/> is null for kinds that are known by size but not read.</summary>
/// <param name="Name">PyTorch's class name, for instance <c>FloatStorage</c>.</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="Type">The element type.</param>
internal sealed record StorageType(string Name, int Size, ElementType? Type);

/// <summary>A block of numbers outside the pickle.</summary>
/// <param name="Key">Its name within the file.</param>
/// <param name="Type">Its kind.</param>
/// <param name="Count">Number of elements, as declared by the pickle.</param>
internal sealed record TorchStorage(string Key, StorageType Type, long Count);

/// <summary>A view of a storage, as declared by the pickle and not yet checked: element i, j, … is at Offset + i Stride[0] + j Stride[1] + …</summary>
/// <param name="Storage">Where the elements are.</param>
/// <param name="Offset">Number of the first one.</param>
/// <param name="Size">The dimensions, each a long: the pickle's own tuple, which other tensors may share.</param>
/// <param name="Stride">As many longs.</param>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, object?[] Size, object?[] Stride);
