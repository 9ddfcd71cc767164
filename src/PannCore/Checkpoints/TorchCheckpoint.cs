namespace PannCore.Checkpoints;

/// <summary>
/// Reads the state dict (names to tensors) of a file that PyTorch's <c>torch.save</c> wrote, in the zip format of today or the stream format
/// of before version 1.6. Such a file carries a program in Python's pickle language; here it can build plain data and nothing else, and one
/// that asks for more is refused by name. Storages of float32, float64, int32 and int64 are read.
/// </summary>
public static class TorchCheckpoint
{
    private const string ParallelPrefix = "module.";

    /// <summary>Keys under which training scripts keep the state dict beside epoch, accuracy and optimizer.</summary>
    private static readonly string[] WrapperKeys = ["state_dict", "model", "net"];

    /// <summary>Tensors may share storages, but a small file shall not fill the memory by naming one storage a thousand times.</summary>
    private const int MostSharing = 4;

    /// <summary>
    /// The tensors in the file's order. A wrapping dictionary (<c>state_dict</c>, <c>model</c> or <c>net</c>) is unwrapped, the prefix
    /// <c>module.</c> dropped where every name has it, entries that are no tensors are left out, and non-contiguous tensors made contiguous.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="check">Told the tensors' shapes by name before memory is taken for their numbers; refuses what is not wanted by throwing. Null takes whatever there is.</param>
    /// <exception cref="BadInputException">The file is missing, truncated, no checkpoint, or asks for more than data.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path, Action<IReadOnlyDictionary<string, int[]>>? check = null)
    {
        using FileStream stream = InputFile.Open(path);
        try
        {
            Span<byte> start = stackalloc byte[4];
            start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            stream.Position = 0;
            if (start is [0x80, ..]) return Arrays(TorchStreamFormat.Read(stream, path), stream, path, check);
            if (start.SequenceEqual("PK\u0003\u0004"u8)) return Arrays(TorchZipFormat.Read(stream, path), stream, path, check);
            throw BadInputException.At(path, "byte 0", "a zip archive (50 4B 03 04) or a pickle (80)", Convert.ToHexString(start));
        }
        catch (IOException e)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static OrderedDictionary<string, NamedArray> Arrays(TorchContents contents, Stream stream, string path, Action<IReadOnlyDictionary<string, int[]>>? check)
    {
        OrderedDictionary<string, TorchTensor> tensors = StateDict(contents.Root, path);
        bool parallel = tensors.Keys.All(name => name.StartsWith(ParallelPrefix, StringComparison.Ordinal));

        var views = new OrderedDictionary<string, StorageView>(tensors.Count, StringComparer.Ordinal);
        long budget = MostSharing * stream.Length;
        foreach ((string key, TorchTensor tensor) in tensors)
        {
            string name = parallel ? key[ParallelPrefix.Length..] : key;
            var view = StorageView.Of(name, tensor, contents.Storages, path);
            budget -= view.ByteLength;
            if (budget < 0) throw BadInputException.At(path, $"tensor {MessageText.Quote(name)}", $"tensors of at most {MostSharing} times the file's length", "more");
            views.Add(name, view);
        }
        check?.Invoke(views.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal));

        foreach (string key in tensors.Values.Select(tensor => tensor.Storage.Key).Distinct(StringComparer.Ordinal)) StoredZip.CheckChecksum(stream, path, contents.Folder + key, contents.Storages[key]);
        var arrays = new OrderedDictionary<string, NamedArray>(views.Count, StringComparer.Ordinal);
        foreach ((string name, StorageView view) in views) arrays.Add(name, view.Read(stream));
        return arrays;
    }

    private static OrderedDictionary<string, TorchTensor> StateDict(object? root, string path)
    {
        if (root is not PickleDictionary dictionary) throw new BadInputException($"{path}: expected a state dict, found an object that is no dictionary");
        foreach (string key in WrapperKeys)
        {
            if (dictionary.Find(key) is not PickleDictionary wrapped) continue;
            dictionary = wrapped;
            break;
        }

        var tensors = new OrderedDictionary<string, TorchTensor>(StringComparer.Ordinal);
        foreach ((object? key, object? value) in dictionary.Items)
        {
            if (key is string name && value is TorchTensor tensor) tensors[name] = tensor;
        }
        if (tensors.Count == 0)
            throw new BadInputException($"{path}: expected a state dict with tensors, found none among the {dictionary.Items.Count} entries");
        return tensors;
    }
}
