using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using PannCore.Checkpoints;
using PannCore.Tests.Support;
using Xunit;

namespace PannCore.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Everything_survives_a_round_trip_bit_for_bit()
    {
        NamedArray[] written =
        [
            new("weight", [2, 3], [1.5f, -0f, float.NaN, float.PositiveInfinity, float.Epsilon, -7f]),
            new("scalar", [], [Math.PI]),
            new("empty", [0, 4], Array.Empty<float>()),
            new("ints", [2], [int.MinValue, int.MaxValue]),
            new("longs", [1, 1, 2], [long.MinValue, long.MaxValue]),
            new("", [1], [1f]),
            new("quote\" back\\slash\nline \u0001 ärger 数 😀", [1], [2.0]),
        ];
        var metadata = new Dictionary<string, string> { ["z"] = "last", ["A"] = "ä\n\"", [""] = "" };
        SafeTensors.Write(_folder.At("a.safetensors"), written, metadata);
        SafeTensorsFile read = SafeTensors.Read(_folder.At("a.safetensors"));

        Assert.Equal(written.Select(a => a.Name), read.Tensors.Keys);
        foreach (NamedArray expected in written)
        {
            NamedArray found = read.Tensors[expected.Name];
            Assert.Equal(expected.Name, found.Name);
            Assert.Equal(expected.Shape, found.Shape);
            Assert.Equal(expected.Type, found.Type);
            Assert.Equal(expected.Bytes.ToArray(), found.Bytes.ToArray());
        }
        Assert.Equal(metadata.OrderBy(p => p.Key, StringComparer.Ordinal), read.Metadata);
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        SafeTensors.Write(_folder.At("a"), [new NamedArray("b", [1], [1f]), new NamedArray("a", [], [2L])], new Dictionary<string, string> { ["k"] = "v", ["B"] = "w" });

        const string header = """{"__metadata__":{"B":"w","k":"v"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I64","shape":[],"data_offsets":[4,12]}}""";
        byte[] expected = [.. File(header.PadRight((header.Length + 7) / 8 * 8)), 0, 0, 0x80, 0x3F, 2, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(expected, System.IO.File.ReadAllBytes(_folder.At("a")));
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(expected) % 8);
    }

    [Fact]
    public void Equal_content_gives_equal_bytes_in_any_culture_and_order_of_metadata()
    {
        NamedArray[] arrays = [new("a", [1000], new double[1000])];
        SafeTensors.Write(_folder.At("a"), arrays, new Dictionary<string, string> { ["x"] = "1", ["X"] = "2", ["ä"] = "3" });
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            SafeTensors.Write(_folder.At("b"), arrays, new Dictionary<string, string> { ["ä"] = "3", ["X"] = "2", ["x"] = "1" });
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        Assert.Equal(System.IO.File.ReadAllBytes(_folder.At("a")), System.IO.File.ReadAllBytes(_folder.At("b")));
    }

    [Fact]
    public void Tensors_come_in_the_headers_order_wherever_their_data_lie()
    {
        string path = _folder.With("a", [.. File("""{"second":{"dtype":"I32","shape":[1],"data_offsets":[4,8]},"first":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"""), 1, 0, 0, 0, 2, 0, 0, 0]);
        IReadOnlyDictionary<string, NamedArray> tensors = SafeTensors.Read(path).Tensors;
        Assert.Equal(["second", "first"], tensors.Keys);
        Assert.Equal([2.0], tensors["second"].ToDouble());
        Assert.Equal([1.0], tensors["first"].ToDouble());
    }

    [Theory]
    // Lengths: nothing is allocated for a header that the file cannot hold.
    [InlineData("01 02 03", 0, "at byte 0: expected the 8-byte length of the header, found a file of 3 bytes")]
    [InlineData("00 00 00 00 00 00 00 10 7B 7D", 0, "at byte 0: expected a header of at most the 2 bytes that follow, found a length of 1152921504606846976")]
    [InlineData("FF FF FF FF FF FF FF FF 7B 7D", 0, "at byte 0: expected a header of at most the 2 bytes that follow, found a length of 18446744073709551615")]
    [InlineData("00 00 00 00 00 00 00 00", 0, "at byte 8: expected a JSON header, found its end there")]
    // JSON.
    [InlineData("hello", 0, "at byte 8: expected a JSON header, found 'h' there")]
    [InlineData("[]", 0, "at byte 8: expected a JSON object, found a list")]
    [InlineData("{\n\"a\":\n ?}", 0, "at byte 16: expected a JSON header, found '?' there")]
    [InlineData("""{"a":""", 0, "at byte 13: expected a JSON header, found its end there")]
    [InlineData("""{} {}""", 0, "at byte 11: expected a JSON header, found '{' there")]
    [InlineData("""{"a":7}""", 0, "at byte 13: expected an object with dtype, shape and data_offsets for tensor 'a', found '7'")]
    [InlineData("""{"\ud800":7}""", 0, "at byte 9: expected a text in UTF-8, found bytes or an escape that are no characters")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "at byte 29: expected a text as metadata 'k', found '1'")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "at byte 33: expected one metadata text per key, found 'k' a second time")]
    // Entries.
    [InlineData("""{"a\nb":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 4, "at tensor 'a\\u000Ab': expected dtype F32, F64, I32 or I64, found 'BF16'")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "at tensor 'a': expected dtype, shape and data_offsets, found no shape")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F64"}}""", 4, "at byte 28: expected one of each field for tensor 'a', found 'dtype' a second time")]
    [InlineData("""{"a":{"order":1}}""", 4, "at byte 14: expected dtype, shape or data_offsets of tensor 'a', found 'order'")]
    [InlineData("""{"a":{"shape":[2,-1]}}""", 4, "at byte 25: expected a dimension from 0 to 2147483647 in the shape of tensor 'a', found '-1'")]
    [InlineData("""{"a":{"shape":[1.5]}}""", 4, "at byte 23: expected a dimension from 0 to 2147483647 in the shape of tensor 'a', found '1.5'")]
    [InlineData("""{"a":{"shape":[2147483648]}}""", 4, "at byte 23: expected a dimension from 0 to 2147483647 in the shape of tensor 'a', found '2147483648'")]
    [InlineData("""{"a":{"data_offsets":[0]}}""", 4, "at tensor 'a': expected data_offsets [begin, end], found 1 numbers")]
    [InlineData("""{"a":{"data_offsets":[-4,0]}}""", 4, "at byte 30: expected an offset of at least 0 in the data_offsets of tensor 'a', found '-4'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "at byte 62: expected one entry per name, found 'a' a second time")]
    // Layout.
    [InlineData("""{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,12]}}""", 12, "at tensor 'a': expected 16 bytes for F32 [2,2], found 12 (data_offsets [0,12])")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "at tensor 'a': expected data_offsets within the data section of 4 bytes, found [4,0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "at tensor 'a': expected data_offsets within the data section of 7 bytes, found [0,8]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[65536,65536,65536,65536],"data_offsets":[0,0]}}""", 0, "at tensor 'a': expected a shape of less than 2 GiB, found [65536,65536,65536,65536]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "at tensor 'b': expected data from byte 8, where tensor 'a' ends, found an overlap (data_offsets [4,12])")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", 20, "at tensor 'b': expected data from byte 8, where tensor 'a' ends, found a hole (data_offsets [12,20])")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "at tensor 'a': expected data from byte 0, at the start of the data, found a hole (data_offsets [4,8])")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 9, "at byte 4 of the data section: expected the end of the file, found 5 more bytes")]
    public void A_bad_file_is_named_with_place_expectation_and_finding(string header, int dataLength, string message)
    {
        bool raw = header.Length == 0 || header.All(c => char.IsAsciiHexDigitUpper(c) || c == ' ');
        byte[] content = raw ? Convert.FromHexString(header.Replace(" ", "", StringComparison.Ordinal)) : [.. File(header), .. new byte[dataLength]];
        string path = _folder.With("bad.safetensors", content);
        Assert.Equal($"{path}: {message}", Assert.Throws<BadInputException>(() => SafeTensors.Read(path)).Message);
    }

    [Fact]
    public void A_header_beyond_the_limit_is_refused_though_the_file_could_hold_it()
    {
        string path = _folder.At("sparse");
        using (FileStream stream = System.IO.File.Create(path))
        {
            stream.Write(BitConverter.GetBytes(100_000_001L));
            stream.SetLength(100_000_100);
        }
        Assert.Equal($"{path}: at byte 0: expected a header of at most 100000000 bytes, found a length of 100000001", Assert.Throws<BadInputException>(() => SafeTensors.Read(path)).Message);
    }

    [Fact]
    public void A_shape_has_at_most_64_dimensions_and_a_long_one_is_cut_in_messages()
    {
        SafeTensors.Write(_folder.At("64"), [new NamedArray("a", [.. Enumerable.Repeat(1, 64)], [7f])]);
        Assert.Equal(64, SafeTensors.Read(_folder.At("64")).Tensors["a"].Shape.Length);
        Assert.StartsWith("array 'a': expected at most 64 dimensions, found 65", Assert.Throws<ArgumentException>(() => new NamedArray("a", [.. Enumerable.Repeat(1, 65)], [7f])).Message, StringComparison.Ordinal);

        // The first numbers are at bytes 23 and 30; each takes two.
        Refuses($$$"""{"a":{"shape":[{{{Ones(100_000)}}}]}}""", "at byte 151: expected at most 64 numbers, each a dimension from 0 to 2147483647 in the shape of tensor 'a', found more");
        Refuses($$$"""{"a":{"data_offsets":[{{{Ones(100_000)}}}]}}""", "at byte 158: expected at most 64 numbers, each an offset of at least 0 in the data_offsets of tensor 'a', found more");
        Refuses($$$"""{"a":{"dtype":"F32","shape":[{{{Ones(9)}}}],"data_offsets":[0,0]}}""", "at tensor 'a': expected 4 bytes for F32 [1,1,1,1,1,1,1,1,…], found 0 (data_offsets [0,0])");

        static string Ones(int count) => string.Join(',', Enumerable.Repeat(1, count));
        void Refuses(string header, string message)
        {
            string path = _folder.With("bad", File(header));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal($"{path}: {message}", Assert.Throws<BadInputException>(() => SafeTensors.Read(path)).Message);
            // The header itself is 200 kB; its numbers in lists would be 2 MB.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
        }
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        Assert.Equal($"{_folder.At("no")}: there is no such file", Assert.Throws<BadInputException>(() => SafeTensors.Read(_folder.At("no"))).Message);
        Assert.Equal($"{_folder.Root}: expected a file, found a folder", Assert.Throws<BadInputException>(() => SafeTensors.Read(_folder.Root)).Message);
    }

    [Fact]
    public void Every_truncation_and_every_damaged_byte_is_an_error_or_a_valid_file()
    {
        SafeTensors.Write(_folder.At("good"), [new NamedArray("a", [2], [1f, 2f]), new NamedArray("b", [1], [3L])], new Dictionary<string, string> { ["k"] = "v" });
        byte[] good = System.IO.File.ReadAllBytes(_folder.At("good"));
        for (int length = 0; length < good.Length; length++)
            Assert.Throws<BadInputException>(() => SafeTensors.Read(_folder.With("cut", good[..length])));
        Damage.Everywhere(good, bytes => SafeTensors.Read(_folder.With("damaged", bytes)));
    }

    [Fact]
    public void Two_arrays_of_one_name_are_a_programming_error_and_nothing_is_written()
    {
        NamedArray[] twice = [new("a", [1], [1f]), new("a", [1], [1f])];
        Assert.Equal("an array cannot be called 'a': the name is taken (Parameter 'tensors')", Assert.Throws<ArgumentException>(() => SafeTensors.Write(_folder.At("x"), twice)).Message);
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(_folder.At("x"), [new NamedArray("__metadata__", [1], [1f])]));
        Assert.ThrowsAny<ArgumentException>(() => SafeTensors.Write(_folder.At("x"), [new NamedArray("half a pair \uD83D", [1], [1f])]));
        Assert.Empty(_folder.FileNames);
    }

    [Fact]
    public void A_file_that_cannot_be_written_leaves_nothing()
    {
        string path = _folder.At("no/such/folder.safetensors");
        Assert.Equal($"{path}: cannot be written: there is no folder {_folder.At("no/such")}", Assert.Throws<BadInputException>(() => SafeTensors.Write(path, [])).Message);
        Assert.Empty(_folder.FileNames);
    }

    [NeedsOracleFact]
    public void The_file_of_the_oracle_loads()
    {
        IReadOnlyDictionary<string, NamedArray> tensors = SafeTensors.Read(External.OracleFile).Tensors;
        Assert.Equal([8, 10], tensors["eval.logits"].Shape);
        Assert.Equal(ElementType.Float64, tensors["eval.logits"].Type);
        Assert.Equal(ElementType.Int64, tensors["labels"].Type);
        Assert.Equal([8, 3, 32, 32], tensors["input"].Shape);
        Assert.Equal(ElementType.Float32, tensors["input"].Type);
        Assert.Equal(10_000, tensors["eval.test_predictions"].Count);
        Assert.All(tensors["labels"].ToDouble().Concat(tensors["eval.test_predictions"].ToDouble()), label => Assert.InRange(label, 0, 9));

        // The batch's loss is the mean of -log softmax(train.logits)[label]: the numbers of four arrays must lie where they belong.
        // Float64 throughout; 1e-12 leaves room for the order of the sums.
        double[] logits = tensors["train.logits"].ToDouble();
        double[] labels = tensors["labels"].ToDouble();
        double loss = Enumerable.Range(0, 8).Average(n => Math.Log(logits[(10 * n)..(10 * n + 10)].Sum(Math.Exp)) - logits[10 * n + (int)labels[n]]);
        Assert.Equal(tensors["train.loss"].ToDouble()[0], loss, 1e-12);
    }

    private static byte[] File(string header)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json];
    }
}
