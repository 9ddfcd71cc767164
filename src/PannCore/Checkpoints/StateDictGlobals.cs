namespace PannCore.Checkpoints;

/// <summary>
/// The globals a state dict needs, each bound to a constructor of plain data written here. Nothing is looked up by reflection;
/// what is not in this table does not exist.
/// </summary>
internal static class StateDictGlobals
{
    /// <summary>A function of the file's world. <see cref="Make"/> gives null where the arguments do not fit.</summary>
    /// <param name="Arguments">What it takes, for messages.</param>
    /// <param name="Make">Builds plain data from the arguments.</param>
    internal sealed record Function(string Arguments, Func<object?[], object?> Make);

    private static readonly string TensorArguments = $"(storage, offset, size, stride, …) of at most {NamedArray.MostDimensions} dimensions";

    private static readonly Dictionary<string, object> Allowed = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = new Function("no arguments", args => args is [] ? new PickleDictionary() : null),
        // The milestones of a learning-rate schedule that is saved beside the network.
        ["collections.Counter"] = new Function("(dictionary)", args => args is [PickleDictionary counts] ? counts : null),
        ["torch.Size"] = new Function("(dimensions)", args => args is [object?[] dimensions] ? dimensions : null),
        ["torch._utils._rebuild_tensor"] = new Function(TensorArguments, Tensor),
        ["torch._utils._rebuild_tensor_v2"] = new Function(TensorArguments, Tensor),
        ["torch._utils._rebuild_parameter"] = new Function("(tensor, …)", args => args is [TorchTensor tensor, ..] ? tensor : null),
        ["torch.FloatStorage"] = new StorageType("FloatStorage", 4, ElementType.Float32),
        ["torch.DoubleStorage"] = new StorageType("DoubleStorage", 8, ElementType.Float64),
        ["torch.IntStorage"] = new StorageType("IntStorage", 4, ElementType.Int32),
        ["torch.LongStorage"] = new StorageType("LongStorage", 8, ElementType.Int64),
        ["torch.HalfStorage"] = new StorageType("HalfStorage", 2, null),
        ["torch.BFloat16Storage"] = new StorageType("BFloat16Storage", 2, null),
        ["torch.ShortStorage"] = new StorageType("ShortStorage", 2, null),
        ["torch.CharStorage"] = new StorageType("CharStorage", 1, null),
        ["torch.ByteStorage"] = new StorageType("ByteStorage", 1, null),
        ["torch.BoolStorage"] = new StorageType("BoolStorage", 1, null),
    };

    /// <summary>A <see cref="Function"/> or a <see cref="StorageType"/>; null for every name that is not allowed.</summary>
    internal static object? Find(string name) => Allowed.GetValueOrDefault(name);

    /// <summary>The storage a persistent id stands for: ('storage', type, key, device, element count[, None]); null where it is anything else.</summary>
    internal static TorchStorage? Storage(object? id)
        => id is object?[] and ["storage", StorageType type, string key, string, long and >= 0 and var count, .. var view] && view is [] or [null]
            ? new TorchStorage(key, type, count)
            : null;

    /// <summary>The tuples of size and stride are kept, not copied: a file can call this again and again with the same ones.</summary>
    private static TorchTensor? Tensor(object?[] args)
        => args is [TorchStorage storage, long offset, object?[] size, object?[] stride, ..]
            && size.Length == stride.Length && size.Length <= NamedArray.MostDimensions && size.All(d => d is long) && stride.All(d => d is long)
            ? new TorchTensor(storage, offset, size, stride)
            : null;
}
