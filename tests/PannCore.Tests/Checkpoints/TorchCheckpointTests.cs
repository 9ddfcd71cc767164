using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PannCore.Checkpoints;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class TorchCheckpointTests : IDisposable
{
    private static readonly byte[] SixFloats = Bytes([0f, 1, 2, 3, 4, 5]);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_zip_file_gives_its_tensors_in_order()
    {
        // An OrderedDict with attributes (BUILD), as a network's state_dict() is saved.
        byte[] pickle = new PickleWriter().EmptyOrderedDict().Op('(')
            .Text("b.weight").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1])
            .Text("a.bias").Tensor("DoubleStorage", "1", 2, 0, [2], [1])
            .Text("bn.num_batches_tracked").Tensor("LongStorage", "2", 1, 0, [], [])
            .Text("int").Tensor("IntStorage", "3", 1, 0, [1, 1], [7, 9])
            .Op('u').Op('}').Text("_metadata").EmptyOrderedDict().Op('s').Op('b').Stop();
        string path = _folder.With("a.pth", TorchFiles.Zip(pickle, ("0", SixFloats), ("1", Bytes([0.5, -2.0])), ("2", Bytes([1L << 40])), ("3", Bytes([-5]))));

        IReadOnlyDictionary<string, NamedArray> tensors = TorchCheckpoint.Read(path);
        Assert.Equal(["b.weight", "a.bias", "bn.num_batches_tracked", "int"], tensors.Keys);
        Assert.Equal([2, 3], tensors["b.weight"].Shape);
        Assert.Equal([0f, 1, 2, 3, 4, 5], tensors["b.weight"].ToSingle());
        Assert.Equal([0.5, -2.0], tensors["a.bias"].ToDouble());
        Assert.Equal(ElementType.Float64, tensors["a.bias"].Type);
        Assert.Empty(tensors["bn.num_batches_tracked"].Shape);
        Assert.Equal([(double)(1L << 40)], tensors["bn.num_batches_tracked"].ToDouble());
        Assert.Equal([-5.0], tensors["int"].ToDouble());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_training_script_s_dictionary_is_unwrapped_in_both_formats(bool zip)
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(')
            .Text("epoch").Int(199)
            .Text("best_prec1").Double(91.78)
            .Text("optimizer").Op('}').Op('(')
            .Text("state").Op('}').Int(0).Op('}').Text("momentum_buffer").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Op('s')
            .Text("param_groups").Op(']').Op('}').Text("lr").Double(0.1).Op('s').Op('a')
            .Op('u')
            .Text("state_dict").EmptyOrderedDict().Op('(')
            .Text("module.w").Tensor("FloatStorage", "0", 6, 0, [6], [1])
            .Text("module.note").Op('N')
            .Op('u').Op('u').Stop();
        string path = _folder.With("a", zip ? TorchFiles.Zip(pickle, ("0", SixFloats)) : TorchFiles.Stream(pickle, ("0", 4, SixFloats)));

        IReadOnlyDictionary<string, NamedArray> tensors = TorchCheckpoint.Read(path);
        Assert.Equal([0f, 1, 2, 3, 4, 5], Assert.Single(tensors).Value.ToSingle());
        Assert.Equal("w", tensors["w"].Name);
    }

    [Fact]
    public void Protocol_5_with_frames_memo_and_parameters_is_read()
    {
        // FRAME; {'w': _rebuild_parameter(tensor, True, OrderedDict())} with texts and globals memoised in order, and the last entry
        // {'again': the tensor recalled from the memo} by BINPUT and BINGET.
        byte[] pickle = new PickleWriter(5).Raw(0x95, 4, 0, 0, 0, 0, 0, 0, 0)
            .Op('}').Raw(0x94).Op('(').Raw(0x8C, 1, (byte)'w').Raw(0x94)
            .StackGlobal("torch._utils", "_rebuild_parameter").Raw(0x94)
            .Op('(').Tensor("FloatStorage", "0", 6, 4, [2], [1]).Op('q').Raw(200).Raw(0x88).EmptyOrderedDict().Op('t').Op('R')
            .Raw(0x8D, 5, 0, 0, 0, 0, 0, 0, 0).Raw("again"u8.ToArray()).Op('j').Raw(200, 0, 0, 0)
            .Op('h').Raw(1).Raw(0x85).Op('K').Raw(1)
            .Op('u').Stop();
        IReadOnlyDictionary<string, NamedArray> tensors = TorchCheckpoint.Read(_folder.With("a", TorchFiles.Stream(pickle, ("0", 4, SixFloats))));
        Assert.Equal(["w", "again"], tensors.Keys);
        Assert.All(tensors.Values, t => Assert.Equal([4f, 5], t.ToSingle()));
    }

    [Fact]
    public void A_tensor_may_be_a_part_of_a_storage_and_transposed()
    {
        byte[] pickle = new PickleWriter().Op('}').Op('(')
            .Text("tail").Tensor("FloatStorage", "0", 6, 4, [2], [1])
            .Text("transposed").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3])
            .Text("odd columns").Tensor("FloatStorage", "0", 6, 1, [2, 1, 2], [3, 99, 1])
            .Text("empty").Tensor("FloatStorage", "0", 6, 6, [0, 3], [3, 1])
            .Op('u').Stop();
        foreach (byte[] file in new[] { TorchFiles.Zip(pickle, ("0", SixFloats)), TorchFiles.Stream(pickle, ("0", 4, SixFloats)) })
        {
            IReadOnlyDictionary<string, NamedArray> tensors = TorchCheckpoint.Read(_folder.With("a", file));
            Assert.Equal([4f, 5], tensors["tail"].ToSingle());
            Assert.Equal([0f, 3, 1, 4, 2, 5], tensors["transposed"].ToSingle());
            Assert.Equal([3, 2], tensors["transposed"].Shape);
            Assert.Equal([1f, 2, 4, 5], tensors["odd columns"].ToSingle());
            Assert.Equal([0, 3], tensors["empty"].Shape);
            Assert.Empty(tensors["empty"].ToSingle());
        }
    }

    [Theory]
    // A pickle's classic attack: call a function of the operating system. The names differ by platform and protocol.
    [InlineData("os", "system", false, 2)]
    [InlineData("posix", "system", true, 4)]
    [InlineData("nt", "system", false, 2)]
    [InlineData("builtins", "eval", true, 4)]
    [InlineData("System.Diagnostics.Process", "Start", false, 2)]
    // Allowed names are whole names: neither a submodule nor a neighbour, nor a split elsewhere that only looks the same in a message.
    [InlineData("collections", "OrderedDict.__reduce__", true, 4)]
    [InlineData("torch.hub", "load", false, 2)]
    [InlineData("torch", "load", false, 2)]
    public void Nothing_but_the_allowed_globals_exists(string module, string name, bool stackGlobal, byte protocol)
    {
        string proof = _folder.At("proof");
        PickleWriter Attack()
        {
            var writer = new PickleWriter(protocol);
            return stackGlobal ? writer.StackGlobal(module, name) : writer.Global(module, name);
        }
        byte[] pickle = Attack().Text($"touch {proof}").Raw(0x85).Op('R').Stop();
        // A GLOBAL follows the two bytes of PROTO; STACK_GLOBAL also its two texts.
        int at = stackGlobal ? Attack().Bytes.Length - 1 : 2;
        string tail = $"refuses global '{module}.{name}': a state dict needs tensors and dictionaries only, and nothing is executed";

        string zip = _folder.With("a.pth", TorchFiles.Zip(pickle));
        Assert.Equal($"{zip} ('net/data.pkl'): at byte {at}: {tail}", Refusal(zip));
        string stream = _folder.With("a.th", TorchFiles.Stream(pickle));
        Assert.Equal($"{stream}: at byte {TorchFiles.ObjectAt + at}: {tail}", Refusal(stream));
        string plain = _folder.With("a.pkl", pickle);
        Assert.Equal($"{plain}: at byte {at}: {tail}", Refusal(plain));
        Assert.Equal(["a.pkl", "a.pth", "a.th"], _folder.FileNames);
    }

    [Fact]
    public void An_allowed_global_is_no_way_to_anything_else()
    {
        PickleRefusal("expected arguments no arguments, found others", p => p.Global("collections", "OrderedDict").Text("x").Raw(0x85).Op('R'));
        PickleRefusal("expected a call of an allowed global, found a call of something else", p => p.Text("os.system").Op(')').Op('R'));
        PickleRefusal("expected a call of an allowed global, found a call of something else", p => p.Global("torch", "FloatStorage").Op(')').Op('R'));
        PickleRefusal("expected attributes of a dictionary, found attributes of something else", p => p.Text("x").Op('}').Op('b'));
        PickleRefusal("expected a storage ('storage', type, key, device, count), found another persistent id", p => p.Text("module").Op('Q'));
        PickleRefusal("expected a storage ('storage', type, key, device, count), found another persistent id", p => p.Tensor("FloatStorage", "0", -1, 0, [0], [1]));
        PickleRefusal("expected storage '0' as declared before: 6 elements of FloatStorage, found 6 elements of LongStorage",
            p => p.Tensor("FloatStorage", "0", 6, 0, [6], [1]).Tensor("LongStorage", "0", 6, 0, [6], [1]));
    }

    [Theory]
    // BINUNICODE8, BINUNICODE, LONG1 and FRAME that declare more than the file holds; a GLOBAL without line end; MARK games; memo without entry.
    [InlineData("8D 00 00 00 00 00 00 00 10", 2, "expected a text of at most 1048576 bytes, found one of 1152921504606846976")]
    [InlineData("8D FF FF FF FF FF FF FF FF", 2, "expected a text of at most 1048576 bytes, found one of 18446744073709551615")]
    [InlineData("8D 00 00 10 00 00 00 00 00", 11, "expected 1048576 more bytes, found 0 before the end")]
    [InlineData("58 FF FF FF FF 41", 2, "expected a text of at most 1048576 bytes, found one of 4294967295")]
    [InlineData("58 FF FF 00 00 41", 7, "expected 65535 more bytes, found 1 before the end")]
    [InlineData("8A FF 01", 4, "expected 255 more bytes, found 1 before the end")]
    [InlineData("95 00 00 00 00 01 00 00 00", 11, "expected 4294967296 more bytes, found 0 before the end")]
    [InlineData("63 6F 73", 5, "expected 1 more byte, found 0 before the end")]
    [InlineData("", 2, "expected 1 more byte, found 0 before the end")]
    [InlineData("74", 2, "expected a mark on the stack, found none")]
    [InlineData("4E 28 85", 4, "expected a value on the stack, found none")]
    [InlineData("2E", 2, "expected a value on the stack, found none")]
    [InlineData("4E 4E 2E", 4, "expected one object at the end of the pickle, found several")]
    [InlineData("68 07", 2, "expected an object stored before, found memo entry 7, which is empty")]
    [InlineData("6A FF FF FF FF", 2, "expected an object stored before, found memo entry 4294967295, which is empty")]
    [InlineData("4E 4E 61", 4, "expected a list to append to, found something else")]
    [InlineData("7D 28 4E 75", 5, "expected pairs of key and value, found a key without value")]
    [InlineData("58 01 00 00 00 FF", 2, "expected a text in UTF-8, found bytes that are no characters")]
    // INST, OBJ, NEWOBJ, EXT1, PERSID: other ways to call.
    [InlineData("69", 2, "expected an instruction that a state dict needs, found 0x69")]
    [InlineData("6F", 2, "expected an instruction that a state dict needs, found 0x6F")]
    [InlineData("81", 2, "expected an instruction that a state dict needs, found 0x81")]
    [InlineData("82", 2, "expected an instruction that a state dict needs, found 0x82")]
    [InlineData("50", 2, "expected an instruction that a state dict needs, found 0x50")]
    public void A_broken_pickle_is_named_with_the_byte(string hex, int at, string message)
    {
        byte[] pickle = new PickleWriter().Raw(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))).Bytes;
        string path = _folder.With("bad.pth", TorchFiles.Zip(pickle));
        Assert.Equal($"{path} ('net/data.pkl'): at byte {at}: {message}", Refusal(path));
    }

    [Fact]
    public void A_pickle_that_runs_for_ever_is_stopped()
    {
        byte[] pickle = [0x80, 2, .. Enumerable.Repeat((byte)'}', RestrictedUnpickler.MostInstructions + 1)];
        string path = _folder.With("bomb", pickle);
        Assert.Equal($"{path}: at byte {RestrictedUnpickler.MostInstructions + 1}: expected a pickle of at most 2000000 instructions, found more", Refusal(path));
    }

    [Fact]
    public void A_shape_is_not_copied_again_and_again()
    {
        string endless = Sharing(100_000, calls: 100), above = Sharing(65, calls: 1), most = Sharing(64, calls: 5_000);
        // The shape's own numbers take less than 10 MB; a copy of size and stride at each call would be 160 MB.
        Allocates(20_000_000, () => Refused(endless));
        Refused(above);
        // With copies 5.4 MB more.
        Allocates(3_000_000, () => Assert.Equal(64, TorchCheckpoint.Read(most)["w"].Shape.Length));

        void Refused(string path)
            => Assert.EndsWith("expected arguments (storage, offset, size, stride, …) of at most 64 dimensions, found others", Refusal(path), StringComparison.Ordinal);
        static void Allocates(long bytes, Action action)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytes);
        }
        // {'w': tensor, 'again': [the same call of the same arguments, as often as asked]}; the function, the shape and the arguments are memo entries 0, 1 and 2.
        string Sharing(int dimensions, int calls)
        {
            PickleWriter pickle = new PickleWriter().Op('}').Op('(').Text("w").Global("torch._utils", "_rebuild_tensor_v2").Op('q').Raw(0)
                .Op('(').Op('(').Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(6).Op('t').Op('Q').Int(0).Op('(');
            for (int i = 0; i < dimensions; i++) pickle.Op('K').Raw(1);
            pickle.Op('t').Op('q').Raw(1).Op('h').Raw(1).Op('t').Op('q').Raw(2).Op('R').Text("again").Op(']').Op('(');
            for (int i = 0; i < calls; i++) pickle.Op('h').Raw(0).Op('h').Raw(2).Op('R');
            return _folder.With($"{dimensions}.th", TorchFiles.Stream(pickle.Op('e').Op('u').Stop(), ("0", 4, SixFloats)));
        }
    }

    [Theory]
    [InlineData(7, 0, new long[] { 7 }, new long[] { 1 }, "storage '0' of 7 x 4 bytes, found 24 bytes")]
    [InlineData(1L << 60, 0, new long[] { 7 }, new long[] { 1 }, "storage '0' of 1152921504606846976 x 4 bytes, found 24 bytes")]
    [InlineData(6, 0, new long[] { 7 }, new long[] { 1 }, "elements within the 6 of storage '0', found shape [7] with stride [1] from element 0")]
    [InlineData(6, 5, new long[] { 2 }, new long[] { 1 }, "elements within the 6 of storage '0', found shape [2] with stride [1] from element 5")]
    [InlineData(6, -1, new long[] { 2 }, new long[] { 1 }, "elements within the 6 of storage '0', found shape [2] with stride [1] from element -1")]
    [InlineData(6, long.MaxValue, new long[] { 2 }, new long[] { 1 }, "elements within the 6 of storage '0', found shape [2] with stride [1] from element 9223372036854775807")]
    [InlineData(6, 5, new long[] { 2 }, new long[] { -1 }, "elements within the 6 of storage '0', found shape [2] with stride [-1] from element 5")]
    [InlineData(6, 0, new long[] { 2 }, new[] { long.MaxValue }, "elements within the 6 of storage '0', found shape [2] with stride [9223372036854775807] from element 0")]
    [InlineData(6, 0, new long[] { 2, 3 }, new long[] { 3, 2 }, "elements within the 6 of storage '0', found shape [2,3] with stride [3,2] from element 0")]
    [InlineData(6, 0, new long[] { 1000 }, new long[] { 0 }, "elements of its own, found shape [1000] with stride [0] over 1 elements")]
    [InlineData(6, 0, new long[] { -2 }, new long[] { 1 }, "dimensions from 0 to 2147483647, found [-2]")]
    [InlineData(6, 0, new[] { 1L << 31 }, new long[] { 0 }, "dimensions from 0 to 2147483647, found [2147483648]")]
    [InlineData(6, 0, new long[] { 65536, 65536, 65536, 65536 }, new long[] { 0, 0, 0, 0 }, "a shape of less than 2 GiB, found [65536,65536,65536,65536]")]
    public void A_tensor_must_lie_within_its_storage(long count, long offset, long[] shape, long[] stride, string message)
    {
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", count, offset, shape, stride).Op('s').Stop();
        string path = _folder.With("a.pth", TorchFiles.Zip(pickle, ("0", SixFloats)));
        Assert.Equal($"{path}: at tensor 'w': expected {message}", Refusal(path));
    }

    [Fact]
    public void Elements_far_apart_are_refused()
    {
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 40, 0, [2], [32]).Op('s').Stop();
        string path = _folder.With("a.pth", TorchFiles.Zip(pickle, ("0", new byte[160])));
        Assert.Equal($"{path}: at tensor 'w': expected elements within 16 times their own length, found shape [2] with stride [32] over 33 elements", Refusal(path));
        byte[] closer = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 40, 0, [2], [31]).Op('s').Stop();
        Assert.Equal(2, TorchCheckpoint.Read(_folder.With("a.pth", TorchFiles.Zip(closer, ("0", new byte[160]))))["w"].Count);
    }

    [Fact]
    public void Other_element_types_are_refused_only_where_they_are_wanted()
    {
        byte[] half = new PickleWriter().Op('}').Text("w").Tensor("HalfStorage", "0", 12, 0, [12], [1]).Op('s').Stop();
        string path = _folder.With("a.pth", TorchFiles.Zip(half, ("0", SixFloats)));
        Assert.Equal($"{path}: at tensor 'w': expected storage of FloatStorage, DoubleStorage, IntStorage or LongStorage, found HalfStorage", Refusal(path));

        byte[] beside = new PickleWriter().Op('}').Op('(')
            .Text("rng").Tensor("ByteStorage", "1", 3, 0, [3], [1])
            .Text("net").Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s')
            .Op('u').Stop();
        Assert.Equal(["w"], TorchCheckpoint.Read(_folder.With("b.th", TorchFiles.Stream(beside, ("0", 4, SixFloats), ("1", 1, new byte[3])))).Keys);
    }

    [Fact]
    public void Many_tensors_on_one_storage_cannot_fill_the_memory()
    {
        byte[] data = new byte[100_000];
        PickleWriter writer = new PickleWriter().Op('}').Op('(');
        for (int i = 0; i < 100; i++) writer.Text($"t{i}").Tensor("FloatStorage", "0", 25_000, 0, [25_000], [1]);
        string path = _folder.With("a.pth", TorchFiles.Zip(writer.Op('u').Stop(), ("0", data)));
        Assert.Matches($"^{path}: at tensor 't[0-9]': expected tensors of at most 4 times the file's length, found more$", Refusal(path));
    }

    [Fact]
    public void A_zip_archive_s_names_must_stay_inside()
    {
        byte[] pickle = new PickleWriter().Op('}').Stop();
        foreach (string name in new[] { "../evil", "net/../../evil", "/etc/evil", "net\\..\\evil", "C:evil" })
        {
            string path = _folder.With("a.pth", TorchFiles.ZipOf(new("net/data.pkl", pickle), new(name, [1])));
            Assert.Equal($"{path}: at entry '{name}': expected a name inside the archive, found a path that leaves it", Refusal(path));
        }
        // torch.save names the folder inside after the file.
        string noon = _folder.With("a.pth", TorchFiles.ZipOf(new("2024-05-01T12:30:00/data.pkl", pickle), new("2024-05-01T12:30:00/version", "3\n"u8.ToArray())));
        Assert.Equal($"{noon}: expected a state dict with tensors, found none among the 0 entries", Refusal(noon)); // Its names are none to refuse.
        string twice = _folder.With("a.pth", TorchFiles.ZipOf(new("net/data.pkl", pickle), new("net/data.pkl", pickle)));
        Assert.Equal($"{twice}: at entry 'net/data.pkl': expected each name once, found it again", Refusal(twice));
        Assert.Equal(["a.pth"], _folder.FileNames);
    }

    [Fact]
    public void A_zip_archive_s_sizes_must_be_true()
    {
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Stop();
        var program = new TorchFiles.ZipEntry("net/data.pkl", pickle);
        // Local headers are 30 bytes, the name (12 and 10) and 8 bytes of padding.
        int header = 50 + pickle.Length, data = header + 48, after = data + 24;

        Expect("as many bytes stored as declared, found 24 stored, 4000000000 declared", new("net/data/0", SixFloats, Declared: 4_000_000_000));
        Expect("as many bytes stored as declared, found 24 stored, 18446744073709551615 declared", new("net/data/0", SixFloats, Declared64: ulong.MaxValue));
        Expect("a 64-bit extension with its size, found none", new("net/data/0", SixFloats, Declared: uint.MaxValue));
        // One entry of 46 + 10 bytes, one of 46 + 12 in the directory, 22 in the end record.
        Expect($"4000000000 bytes from byte {data}, found {24 + 56 + 58 + 22} before the end of the file", new("net/data/0", SixFloats, Declared: 4_000_000_000, Stored: 4_000_000_000));
        Expect($"28 bytes, as the directory declares, found 24 declared at byte {header}", new("net/data/0", SixFloats, Declared: 28, Stored: 28, LocalStored: 24));

        string beyond = Write(program, new("net/data/0", SixFloats, Declared: 40, Stored: 40));
        Assert.Equal($"{beyond}: at byte {after}: expected the zip directory behind all entries, found an entry that ends at byte {data + 40}", Refusal(beyond));
        string overlap = Write(program, new("net/data/0", SixFloats, Declared: 28, Stored: 28), new("net/x", []));
        Assert.Equal($"{overlap}: at entry 'net/x': expected to begin at byte {data + 28} or later, where the entry before it ends, found byte {after}", Refusal(overlap));
        string less = Write(program, new("net/data/0", SixFloats, Declared: 20, Stored: 20));
        Assert.Equal($"{less}: at tensor 'w': expected storage '0' of 6 x 4 bytes, found 20 bytes", Refusal(less));

        byte[] renamed = TorchFiles.ZipOf(program, new("net/data/0", SixFloats));
        renamed[header + 30] ^= 1;
        Assert.Equal($"{_folder.At("b")}: at entry 'net/data/0': expected its name again at byte {header}, found another one", Refusal(_folder.With("b", renamed)));
        renamed[header] ^= 1;
        Assert.Equal($"{_folder.At("b")}: at entry 'net/data/0': expected its header at byte {header}, found none", Refusal(_folder.With("b", renamed)));

        void Expect(string message, TorchFiles.ZipEntry entry)
        {
            string path = Write(program, entry);
            Assert.Equal($"{path}: at entry 'net/data/0': expected {message}", Refusal(path));
        }
        string Write(params TorchFiles.ZipEntry[] entries) => _folder.With("a.pth", TorchFiles.ZipOf(entries));
    }

    [Fact]
    public void A_damaged_entry_is_refused()
    {
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Stop();
        byte[] good = TorchFiles.Zip(pickle, ("0", SixFloats), ("unused", [7, 7, 7, 7, 7]));
        Assert.Equal(0xCBF43926, Crc32.Append(Crc32.Append(0, "1234"u8), "56789"u8)); // The check value that every table of such checksums gives.
        Expect("net/data.pkl", pickle, 3);
        Expect("net/byteorder", "little"u8.ToArray(), 0);
        Expect("net/data/0", SixFloats, 23);
        // What is not read is not judged.
        byte[] beside = [.. good];
        beside[good.AsSpan().IndexOf((ReadOnlySpan<byte>)[7, 7, 7, 7, 7])] ^= 1;
        Assert.Equal([0f, 1, 2, 3, 4, 5], TorchCheckpoint.Read(_folder.With("a.pth", beside))["w"].ToSingle());

        // Written without checksums, an entry has 0 in their place.
        byte[] without = [.. good], checksum = BitConverter.GetBytes(TorchFiles.Crc32(SixFloats));
        for (int place = without.AsSpan().IndexOf(checksum); place >= 0; place = without.AsSpan().IndexOf(checksum)) without.AsSpan(place, 4).Clear();
        without[without.AsSpan().IndexOf(SixFloats) + 3] ^= 1;
        Assert.Equal(6, TorchCheckpoint.Read(_folder.With("a.pth", without))["w"].ToSingle().Length);

        void Expect(string name, byte[] content, int at)
        {
            byte[] bytes = [.. good], damaged = [.. content];
            bytes[good.AsSpan().IndexOf(content) + at] ^= 1;
            damaged[at] ^= 1;
            string path = _folder.With("a.pth", bytes);
            Assert.Equal($"{path}: at entry '{name}': expected data with the CRC-32 {TorchFiles.Crc32(content):x8}, as the directory says, found {TorchFiles.Crc32(damaged):x8}: they are damaged", Refusal(path));
        }
    }

    [Fact]
    public void A_compressed_entry_is_refused_before_anything_is_unpacked()
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(new byte[1_000_000]);
        byte[] packed = deflated.ToArray();
        var program = new TorchFiles.ZipEntry("net/data.pkl", new PickleWriter().Op('}').Stop());

        string path = _folder.With("honest", TorchFiles.ZipOf(program, new("net/data/0", packed, Declared: 1_000_000, Method: 8)));
        Assert.Equal($"{path}: at entry 'net/data/0': expected a stored entry, as torch.save writes it, found compression method 8", Refusal(path));
        path = _folder.With("lying", TorchFiles.ZipOf(program, new("net/data/0", packed, Method: 8)));
        Assert.Equal($"{path}: at entry 'net/data/0': expected a stored entry, as torch.save writes it, found compression method 8", Refusal(path));
        path = _folder.With("encrypted", TorchFiles.ZipOf(program, new("net/data/0", packed, Flags: 1)));
        Assert.Equal($"{path}: at entry 'net/data/0': expected a plain entry, found an encrypted one", Refusal(path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_archive_of_another_zip_writer_is_read_also_with_64_bit_sizes(bool sizesFollow)
    {
        // The base library's writer; to a stream that cannot seek it writes flag 8: sizes behind the data.
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Stop();
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(sizesFollow ? new OneWayStream(bytes) : bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] content) in new[] { ("any name/data.pkl", pickle), ("any name/data/0", SixFloats) })
            {
                using Stream entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }
        Assert.Equal([0f, 1, 2, 3, 4, 5], TorchCheckpoint.Read(_folder.With("a", bytes.ToArray()))["w"].ToSingle());

        byte[] large = TorchFiles.ZipOf(new("net/data.pkl", pickle), new("net/data/0", SixFloats, Declared64: 24));
        Assert.Equal([0f, 1, 2, 3, 4, 5], TorchCheckpoint.Read(_folder.With("b", large))["w"].ToSingle());

        byte[] large64 = TorchFiles.With64BitEnd(large);
        Assert.Equal([0f, 1, 2, 3, 4, 5], TorchCheckpoint.Read(_folder.With("c", large64))["w"].ToSingle());
        foreach (long wrong in new[] { 0, large64.Length, long.MaxValue, -1 })
        {
            string path = _folder.With("d", TorchFiles.With64BitEnd(large, wrong));
            Assert.Equal($"{path}: at byte {large64.Length - 42}: expected the place of the 64-bit end record, found byte {(ulong)wrong}, where there is none", Refusal(path));
        }
    }

    [Fact]
    public void A_file_of_another_kind_is_named()
    {
        byte[] empty = new PickleWriter().Op('}').Stop();
        Expect([], "expected a file with something in it, found an empty one, a pipe or a device");
        Expect("GIF89a"u8.ToArray(), "at byte 0: expected a zip archive (50 4B 03 04) or a pickle (80), found 47494638");
        Expect(empty, "at the first pickle: expected PyTorch's magic number, found another object");
        Expect([0x80, 6, .. empty], "at byte 0: expected a pickle of protocol 2 to 5, found another beginning");
        Expect(TorchFiles.Stream(empty), "expected a state dict with tensors, found none among the 0 entries");
        Expect(TorchFiles.Stream(new PickleWriter().Op(']').Stop()), "expected a state dict, found an object that is no dictionary");
        Expect(TorchFiles.ZipOf(new TorchFiles.ZipEntry("net/other", [1])), "expected one entry FOLDER/data.pkl in the zip archive, found 0");
        Expect(TorchFiles.ZipOf(new("net/data.pkl", empty), new("net/byteorder", "big"u8.ToArray())), "at entry 'net/byteorder': expected little, found 'big'");
        byte[] good = TorchFiles.Zip(empty);
        Expect([.. good, 0], $"at byte {good.Length - 21}: expected the end record of a zip archive in the file's last 22 bytes, found none: the file is truncated, or something was appended");
        Expect("PK\u0003\u0004"u8.ToArray(), "at byte 0: expected the end record of a zip archive in the file's last 22 bytes, found none: the file is truncated, or something was appended");
        Assert.Equal($"{_folder.Root}: expected a file, found a folder", Refusal(_folder.Root));
        Assert.Equal($"{_folder.At("no")}: there is no such file", Refusal(_folder.At("no")));

        void Expect(byte[] file, string message) => Assert.Equal($"{_folder.At("a")}: {message}", Refusal(_folder.With("a", file)));
    }

    [Fact]
    public void The_stream_format_s_storages_must_be_as_declared()
    {
        byte[] pickle = new PickleWriter().Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Stop();
        byte[] good = TorchFiles.Stream(pickle, ("0", 4, SixFloats));
        int storage = good.Length - 32;
        Assert.Single(TorchCheckpoint.Read(_folder.With("a", good)));

        Expect(good[..^1], $"at byte {storage + 8}: expected storage '0' of 6 x 4 bytes, found 23 before the end");
        Expect(good[..(storage + 3)], $"at byte {storage}: expected storage '0', found the end of the file");
        Expect([.. good[..storage], 255, 255, 255, 255, 255, 255, 255, 255, .. SixFloats], $"at byte {storage}: expected storage '0' of 6 elements, found -1");
        Expect(TorchFiles.Stream(pickle, ("1", 4, SixFloats)), $"at byte {storage}: expected a storage that a tensor uses, found '1'");
        Expect(TorchFiles.Stream(pickle), "at tensor 'w': expected storage '0', found none of that name");
        // The second key takes 6 bytes of pickle, the first storage 32.
        Expect(TorchFiles.Stream(pickle, ("0", 4, SixFloats), ("0", 4, SixFloats)), $"at byte {storage + 6 + 32}: expected each storage once, found '0' again");

        void Expect(byte[] file, string message) => Assert.Equal($"{_folder.At("a")}: {message}", Refusal(_folder.With("a", file)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_truncation_and_every_damaged_byte_is_an_error_or_a_valid_file(bool zip)
    {
        byte[] pickle = new PickleWriter().EmptyOrderedDict().Op('(')
            .Text("module.w").Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]).Text("module.b").Tensor("LongStorage", "1", 1, 0, [], [])
            .Op('u').Op('}').Text("_metadata").EmptyOrderedDict().Op('s').Op('b').Stop();
        byte[] good = zip ? TorchFiles.Zip(pickle, ("0", SixFloats), ("1", new byte[8])) : TorchFiles.Stream(pickle, ("0", 4, SixFloats), ("1", 8, new byte[8]));
        Assert.Equal(2, TorchCheckpoint.Read(_folder.With("good", good)).Count);
        for (int length = 0; length < good.Length; length++)
            Assert.Throws<BadInputException>(() => TorchCheckpoint.Read(_folder.With("cut", good[..length])));
        Damage.Everywhere(good, bytes => TorchCheckpoint.Read(_folder.With("damaged", bytes)));
    }

    [NeedsOracleFact]
    public void The_published_checkpoint_is_resnet20()
    {
        Assert.StartsWith("12FCA82F", Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(External.PublishedCheckpoint))), StringComparison.Ordinal);
        IReadOnlyDictionary<string, NamedArray> tensors = TorchCheckpoint.Read(External.PublishedCheckpoint);
        (string Name, int[] Shape)[] resNet20 = [.. ResNet20()];
        StateDictMatch.Check(External.PublishedCheckpoint, "resnet20", resNet20, tensors.ToDictionary(t => t.Key, t => t.Value.Shape));
        Assert.Equal(resNet20.Select(e => e.Name), tensors.Keys);
        Assert.All(tensors.Values, a => Assert.All(a.ToSingle(), v => Assert.True(float.IsFinite(v))));

        // 269,722 trainable parameters: 270 thousand is ResNet-20's published size with these parameter-free shortcuts.
        Assert.Equal(269_722, tensors.Where(t => !t.Key.Contains("running", StringComparison.Ordinal)).Sum(t => t.Value.Count));
        Assert.All(tensors.Where(t => t.Key.EndsWith("running_var", StringComparison.Ordinal)), t => Assert.All(t.Value.ToSingle(), v => Assert.True(v > 0)));
    }

    [NeedsOracleFact]
    public void The_published_checkpoint_s_running_means_are_those_the_oracle_updated()
    {
        // One training step moves a running mean by momentum 0.1 towards the batch's: 0.9 old + 0.1 batch. The image mean of conv1's
        // output is linear in the weights, so the batch's mean follows from input and conv1.weight by plain loops in float64.
        IReadOnlyDictionary<string, NamedArray> checkpoint = TorchCheckpoint.Read(External.PublishedCheckpoint);
        IReadOnlyDictionary<string, NamedArray> oracle = SafeTensors.Read(External.OracleFile).Tensors;
        double[] image = oracle["input"].ToDouble();
        double[] weight = checkpoint["conv1.weight"].ToDouble();
        double[] before = checkpoint["bn1.running_mean"].ToDouble();
        double[] after = oracle["train.after.bn1.running_mean"].ToDouble();
        for (int k = 0; k < 16; k++)
        {
            double sum = 0;
            for (int n = 0; n < 8; n++)
                for (int c = 0; c < 3; c++)
                    for (int r = 0; r < 3; r++)
                        for (int s = 0; s < 3; s++)
                            for (int y = Math.Max(0, r - 1); y < Math.Min(32, 31 + r); y++)
                                for (int x = Math.Max(0, s - 1); x < Math.Min(32, 31 + s); x++)
                                    sum += weight[((k * 3 + c) * 3 + r) * 3 + s] * image[((n * 3 + c) * 32 + y) * 32 + x];
            // Sums of 221,184 products in float64, in another order than the oracle's: 1e-10 is ample.
            Assert.Equal(after[k], 0.9 * before[k] + 0.1 * sum / (8 * 32 * 32), 1e-10);
        }
    }

    private static IEnumerable<(string, int[])> ResNet20()
    {
        yield return ("conv1.weight", [16, 3, 3, 3]);
        foreach ((string, int[]) entry in BatchNorm("bn1", 16)) yield return entry;
        int input = 16;
        for (int layer = 1; layer <= 3; layer++)
        {
            int width = 8 << layer;
            for (int block = 0; block < 3; block++)
            {
                for (int conv = 1; conv <= 2; conv++)
                {
                    yield return ($"layer{layer}.{block}.conv{conv}.weight", [width, input, 3, 3]);
                    input = width;
                    foreach ((string, int[]) entry in BatchNorm($"layer{layer}.{block}.bn{conv}", width)) yield return entry;
                }
            }
        }
        yield return ("linear.weight", [10, 64]);
        yield return ("linear.bias", [10]);
    }

    private static IEnumerable<(string, int[])> BatchNorm(string name, int channels)
        => new[] { "weight", "bias", "running_mean", "running_var" }.Select(part => ($"{name}.{part}", new[] { channels }));

    private static byte[] Bytes<T>(T[] values) where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static string Refusal(string path) => Assert.Throws<BadInputException>(() => TorchCheckpoint.Read(path)).Message;

    private void PickleRefusal(string message, Func<PickleWriter, PickleWriter> content)
    {
        string path = _folder.With("bad", TorchFiles.Stream(content(new PickleWriter()).Stop()));
        Assert.EndsWith(message, Refusal(path), StringComparison.Ordinal);
    }

    private sealed class OneWayStream(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
