using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace PannCore.Checkpoints;

/// <summary>
/// A pickle machine that can only build data: null, bool, long, BigInteger, double, string, list, tuple (<c>object?[]</c>),
/// <see cref="PickleDictionary"/> and <see cref="TorchTensor"/>. A pickle is a program for a machine that can call anything; this one calls only
/// the constructors of <see cref="StateDictGlobals"/>. It does not recurse, and takes no memory for a declared length before it has seen that
/// the file is long enough.
/// </summary>
/// <param name="stream">A seekable stream at the beginning of a pickle.</param>
/// <param name="file">The file's name, for messages.</param>
/// <param name="storages">Collects the storages that the pickles name, by key.</param>
internal sealed class RestrictedUnpickler(Stream stream, string file, Dictionary<string, TorchStorage> storages)
{
    /// <summary>A state dict takes about 30 instructions per tensor, so this is room for 60,000 tensors, and at some 100 bytes per instruction for 200 MB of objects besides the file's own texts: an instruction refers to what others made and copies none of it.</summary>
    internal const int MostInstructions = 2_000_000;

    private const int LongestGlobal = 200, LongestText = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private long _at;

    /// <summary>Runs one pickle and leaves the stream behind it.</summary>
    /// <exception cref="BadInputException">The pickle is truncated or broken, or asks for anything but data; nothing has been executed.</exception>
    internal object? Load()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        _at = stream.Position;
        if (ReadByte() != (byte)PickleOpcode.Proto || ReadByte() is < 2 or > 5) throw Fail("a pickle of protocol 2 to 5", "another beginning");
        for (int instructions = 0; instructions < MostInstructions; instructions++)
        {
            _at = stream.Position;
            byte opcode = ReadByte();
            if (opcode == (byte)PickleOpcode.Stop)
            {
                object? result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw Fail("one object at the end of the pickle", "several");
            }
            Step(opcode);
        }
        throw Fail($"a pickle of at most {MostInstructions} instructions", "more");
    }

    private void Step(byte opcode)
    {
        switch ((PickleOpcode)opcode)
        {
            case PickleOpcode.Frame: CheckLength(BinaryPrimitives.ReadUInt64LittleEndian(ReadBytes(8))); break;
            case PickleOpcode.Mark: _marks.Add(_stack.Count); break;

            case PickleOpcode.None: _stack.Add(null); break;
            case PickleOpcode.NewTrue: _stack.Add(true); break;
            case PickleOpcode.NewFalse: _stack.Add(false); break;
            case PickleOpcode.BinInt: _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4))); break;
            case PickleOpcode.BinInt1: _stack.Add((long)ReadByte()); break;
            case PickleOpcode.BinInt2: _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(ReadBytes(2))); break;
            case PickleOpcode.Long1: _stack.Add(Integer(ReadBytes(ReadByte()))); break;
            case PickleOpcode.BinFloat: _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(ReadBytes(8))); break;
            case PickleOpcode.ShortBinUnicode: _stack.Add(Text(ReadByte())); break;
            case PickleOpcode.BinUnicode: _stack.Add(Text(BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4)))); break;
            case PickleOpcode.BinUnicode8: _stack.Add(Text(BinaryPrimitives.ReadUInt64LittleEndian(ReadBytes(8)))); break;

            case PickleOpcode.EmptyTuple: _stack.Add(Array.Empty<object?>()); break;
            case PickleOpcode.Tuple1: _stack.Add(PopLast(1)); break;
            case PickleOpcode.Tuple2: _stack.Add(PopLast(2)); break;
            case PickleOpcode.Tuple3: _stack.Add(PopLast(3)); break;
            case PickleOpcode.Tuple: _stack.Add(PopToMark()); break;
            case PickleOpcode.EmptyList: _stack.Add(new List<object?>()); break;
            case PickleOpcode.Append: Append(PopLast(1)); break;
            case PickleOpcode.Appends: Append(PopToMark()); break;
            case PickleOpcode.EmptyDict: _stack.Add(new PickleDictionary()); break;
            case PickleOpcode.SetItem: SetItems(PopLast(2)); break;
            case PickleOpcode.SetItems: SetItems(PopToMark()); break;

            case PickleOpcode.BinGet: _stack.Add(Recall(ReadByte())); break;
            case PickleOpcode.LongBinGet: _stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4)))); break;
            case PickleOpcode.BinPut: _memo[ReadByte()] = Top(); break;
            case PickleOpcode.LongBinPut: _memo[BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4))] = Top(); break;
            case PickleOpcode.Memoize: _memo[(uint)_memo.Count] = Top(); break;

            case PickleOpcode.Global: _stack.Add(Global(ReadLine(), ReadLine())); break;
            case PickleOpcode.StackGlobal: StackGlobal(PopLast(2)); break;
            case PickleOpcode.Reduce: Reduce(PopLast(2)); break;
            case PickleOpcode.Build: Build(Pop()); break;
            case PickleOpcode.BinPersId: _stack.Add(Storage(Pop())); break;

            default: throw Fail("an instruction that a state dict needs", $"0x{opcode:X2}");
        }
    }

    private object Global(string module, string name)
        => StateDictGlobals.Find($"{module}.{name}")
            ?? throw new BadInputException($"{file}: at byte {_at}: refuses global {MessageText.Quote($"{module}.{name}")}: a state dict needs tensors and dictionaries only, and nothing is executed");

    private void StackGlobal(object?[] names)
        => _stack.Add(names is [string module, string name] ? Global(module, name) : throw Fail("a module's and a global's name", "other values"));

    private void Reduce(object?[] call)
    {
        if (call is not [StateDictGlobals.Function function, object?[] arguments]) throw Fail("a call of an allowed global", "a call of something else");
        _stack.Add(function.Make(arguments) ?? throw Fail($"arguments {function.Arguments}", "others"));
    }

    /// <summary>An ordered dictionary's attributes (PyTorch's version notes, <c>_metadata</c>) say nothing about numbers and are dropped.</summary>
    private void Build(object? state)
    {
        if (Top() is not PickleDictionary) throw Fail("attributes of a dictionary", "attributes of something else");
        if (state is not PickleDictionary) throw Fail("attributes as a dictionary", "something else");
    }

    private TorchStorage Storage(object? id)
    {
        TorchStorage storage = StateDictGlobals.Storage(id) ?? throw Fail("a storage ('storage', type, key, device, count)", "another persistent id");
        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] != storage)
            throw Fail($"storage {MessageText.Quote(storage.Key)} as declared before: {Describe(storages[storage.Key])}", Describe(storage));
        return storage;

        static string Describe(TorchStorage s) => $"{s.Count} elements of {s.Type.Name}";
    }

    private void Append(object?[] items)
    {
        if (Top() is not List<object?> list) throw Fail("a list to append to", "something else");
        list.AddRange(items);
    }

    private void SetItems(object?[] items)
    {
        if (Top() is not PickleDictionary dictionary) throw Fail("a dictionary to fill", "something else");
        if (items.Length % 2 != 0) throw Fail("pairs of key and value", "a key without value");
        for (int i = 0; i < items.Length; i += 2) dictionary.Add(items[i], items[i + 1]);
    }

    private object? Recall(uint index)
        => _memo.TryGetValue(index, out object? value) ? value : throw Fail("an object stored before", $"memo entry {index}, which is empty");

    private int Bottom => _marks.Count > 0 ? _marks[^1] : 0;

    private object? Top() => _stack.Count > Bottom ? _stack[^1] : throw EmptyStack();

    private object? Pop() => PopLast(1)[0];

    private object?[] PopLast(int count)
    {
        if (_stack.Count - Bottom < count) throw EmptyStack();
        object?[] items = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0) throw Fail("a mark on the stack", "none");
        object?[] items = PopLast(_stack.Count - Bottom);
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    private byte ReadByte() => stream.ReadByte() is >= 0 and var value ? (byte)value : throw Truncated(1);

    private byte[] ReadBytes(ulong count)
    {
        CheckLength(count);
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private void CheckLength(ulong count)
    {
        if (count > (ulong)(stream.Length - stream.Position)) throw Truncated(count);
    }

    private string Text(ulong length)
    {
        if (length > LongestText) throw Fail($"a text of at most {LongestText} bytes", $"one of {length}");
        try
        {
            return StrictUtf8.GetString(ReadBytes(length));
        }
        catch (DecoderFallbackException)
        {
            throw Fail("a text in UTF-8", "bytes that are no characters");
        }
    }

    /// <summary>A line of a GLOBAL instruction. Latin-1, so that any bytes have a name to be refused by.</summary>
    private string ReadLine()
    {
        var line = new StringBuilder();
        for (byte value = ReadByte(); value != '\n'; value = ReadByte())
        {
            if (line.Length == LongestGlobal) throw Fail($"a global's name of at most {LongestGlobal} bytes", "a longer one");
            line.Append((char)value);
        }
        return line.ToString();
    }

    private static object Integer(byte[] littleEndian)
    {
        var value = new BigInteger(littleEndian);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private BadInputException EmptyStack() => Fail("a value on the stack", "none");

    private BadInputException Truncated(ulong wanted) => BadInputException.At(
        file, $"byte {stream.Position}", wanted == 1 ? "1 more byte" : $"{wanted} more bytes", $"{stream.Length - stream.Position} before the end");

    private BadInputException Fail(string expected, string found) => BadInputException.At(file, $"byte {_at}", expected, found);
}
