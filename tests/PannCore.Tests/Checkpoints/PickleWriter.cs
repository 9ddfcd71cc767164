using System.Buffers.Binary;
using System.Text;

namespace PannCore.Tests.Checkpoints;

/// <summary>
/// Writes pickles byte by byte from the description of the format in Python's <c>pickletools</c>, independently of the reader:
/// also those that no sane program would write.
/// </summary>
internal sealed class PickleWriter
{
    private readonly MemoryStream _bytes = new();

    public PickleWriter(byte protocol = 2) => Raw(0x80, protocol);

    public byte[] Bytes => _bytes.ToArray();

    public long Position => _bytes.Length;

    public PickleWriter Raw(params byte[] bytes)
    {
        _bytes.Write(bytes);
        return this;
    }

    public PickleWriter Op(char opcode) => Raw((byte)opcode);

    public PickleWriter Global(string module, string name) => Op('c').Raw(Encoding.UTF8.GetBytes($"{module}\n{name}\n"));

    public PickleWriter StackGlobal(string module, string name) => Text(module).Text(name).Raw(0x93);

    public PickleWriter Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op('X').Raw(Little32(utf8.Length)).Raw(utf8);
    }

    public PickleWriter Int(int value) => Op('J').Raw(Little32(value));

    public PickleWriter Long(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8A, 8).Raw(bytes);
    }

    public PickleWriter Double(double value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        return Op('G').Raw(bytes);
    }

    public PickleWriter Ints(params long[] values)
    {
        Op('(');
        foreach (long value in values) Long(value);
        return Op('t');
    }

    public PickleWriter EmptyOrderedDict() => Global("collections", "OrderedDict").Op(')').Op('R');

    /// <summary>A tensor as PyTorch writes it: a call of _rebuild_tensor_v2 on a storage known by a persistent id.</summary>
    public PickleWriter Tensor(string storage, string key, long count, long offset, long[] shape, long[] stride)
    {
        Global("torch._utils", "_rebuild_tensor_v2").Op('(');
        Op('(').Text("storage").Global("torch", storage).Text(key).Text("cpu").Long(count).Op('t').Op('Q');
        return Long(offset).Ints(shape).Ints(stride).Raw(0x89).EmptyOrderedDict().Op('t').Op('R');
    }

    public byte[] Stop() => Op('.').Bytes;

    private static byte[] Little32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
