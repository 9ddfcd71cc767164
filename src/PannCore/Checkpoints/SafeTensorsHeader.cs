namespace PannCore.Checkpoints;

/// <summary>The parsed header of a safetensors file: arrays in the header's order, and the free texts.</summary>
internal sealed record SafeTensorsHeader(IReadOnlyList<SafeTensorsHeader.Entry> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>One array; its numbers are the bytes [Begin, End) of the data section.</summary>
    internal sealed record Entry(string Name, ElementType Type, int[] Shape, long Begin, long End);

    /// <summary>The arrays must tile the data section: each within it, as long as its shape says, no overlap, no hole.</summary>
    /// <exception cref="BadInputException">They do not.</exception>
    internal void CheckLayout(string file, long dataLength)
    {
        long end = 0;
        string before = "at the start of the data";
        foreach (Entry entry in Entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            string where = $"tensor {MessageText.Quote(entry.Name)}";
            string offsets = MessageText.Shape<long>([entry.Begin, entry.End]);
            if (entry.Begin > entry.End || entry.End > dataLength)
                throw BadInputException.At(file, where, $"data_offsets within the data section of {dataLength} bytes", offsets);

            if (!NamedArray.TryCount(entry.Shape, entry.Type, out int count))
                throw BadInputException.At(file, where, "a shape of less than 2 GiB", MessageText.Shape(entry.Shape));
            long length = (long)count * entry.Type.Size();
            if (entry.End - entry.Begin != length)
                throw BadInputException.At(file, where, $"{length} bytes for {SafeTensors.Dtype(entry.Type)} {MessageText.Shape(entry.Shape)}", $"{entry.End - entry.Begin} (data_offsets {offsets})");

            if (entry.Begin != end)
                throw BadInputException.At(file, where, $"data from byte {end}, {before}", $"{(entry.Begin < end ? "an overlap" : "a hole")} (data_offsets {offsets})");
            end = entry.End;
            before = $"where {where} ends";
        }
        if (end != dataLength)
            throw BadInputException.At(file, $"byte {end} of the data section", "the end of the file", $"{dataLength - end} more bytes");
    }
}
