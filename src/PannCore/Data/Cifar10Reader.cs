namespace PannCore.Data;

/// <summary>Reads official records from files, folders and the official archive.</summary>
internal static class Cifar10Reader
{
    private const int RecordsAtOnce = 64;

    /// <summary>Most records whose images fit one array.</summary>
    private static readonly long MostRecords = Array.MaxLength / Cifar10.ImageBytes;

    /// <summary>The named official files of a folder or an archive, one after the other; of a single file, all of it.</summary>
    public static Cifar10 Read(string location, IReadOnlyList<string> names)
    {
        if (Directory.Exists(location)) return ReadFolder(location, names);
        if (!File.Exists(location)) throw NotFound(location);
        return Cifar10Archive.HasArchiveName(location) ? ReadArchive(location, names) : ReadFile(location);
    }

    public static Cifar10 ReadFile(string path)
    {
        if (!File.Exists(path)) throw NotFound(path);
        using FileStream file = InputFile.Open(path);
        int records = RecordsOf(Path.GetFileName(path), file.Length);
        var set = Allocate(records, path);
        Fill(set, 0, records, file, Path.GetFileName(path));
        return set;
    }

    private static Cifar10 ReadFolder(string location, IReadOnlyList<string> names)
    {
        string inner = Path.Combine(location, Cifar10Files.Folder);
        string folder = names.Any(name => File.Exists(Path.Combine(location, name))) || !Directory.Exists(inner) ? location : inner;
        foreach (string name in names)
            if (!File.Exists(Path.Combine(folder, name)))
                throw new BadInputException($"{folder}: expected the file {name}, found none; get the data with: pann data fetch");

        // All lengths before memory is taken.
        foreach (string name in names)
        {
            using FileStream file = InputFile.Open(Path.Combine(folder, name));
            RecordsOf(name, file.Length);
        }

        var set = Allocate(names.Count * Cifar10.BatchRecords, Path.Combine(folder, Joined(names)));
        for (int i = 0; i < names.Count; i++)
        {
            using FileStream file = InputFile.Open(Path.Combine(folder, names[i]));
            int records = RecordsOf(names[i], file.Length);
            Fill(set, i * Cifar10.BatchRecords, records, file, names[i]);
        }
        return set;
    }

    private static Cifar10 ReadArchive(string path, IReadOnlyList<string> names)
    {
        // Memory is taken when the first of the names, with its length, is met; where one is not met, Read throws.
        Cifar10? set = null;
        using FileStream file = InputFile.Open(path);
        Cifar10Archive.Read(file, Path.GetFileName(path), Cifar10Files.Known, names, (known, content) =>
        {
            int index = names.TakeWhile(name => name != known.Name).Count();
            set ??= Allocate(names.Count * Cifar10.BatchRecords, $"{path}: {Joined(names)}");
            Fill(set, index * Cifar10.BatchRecords, Cifar10.BatchRecords, content, known.Name);
        });
        return set!;
    }

    private static BadInputException NotFound(string location)
        => new($"{location}: expected CIFAR-10 (a folder, {Cifar10Files.Archive} or a .bin file), found no such file or folder; get the data with: pann data fetch");

    private static string Joined(IReadOnlyList<string> names) => names.Count == 1 ? names[0] : "data_batch_1..5.bin";

    private static Cifar10 Allocate(int records, string source)
        => new(new byte[records * Cifar10.ImageBytes], new byte[records], source);

    private static int RecordsOf(string name, long length)
    {
        if (Cifar10Files.IsBatch(name))
            return length == (long)Cifar10.BatchRecords * Cifar10.RecordBytes ? Cifar10.BatchRecords : throw WrongLength(name, Cifar10.BatchRecords, length);
        if (length % Cifar10.RecordBytes != 0)
            throw BadInputException.At(name, $"byte {length - length % Cifar10.RecordBytes}", $"a record of {Cifar10.RecordBytes} bytes", $"{length % Cifar10.RecordBytes} bytes");
        if (length / Cifar10.RecordBytes > MostRecords)
            throw BadInputException.At(name, "byte 0", $"at most {MostRecords} records", $"{length / Cifar10.RecordBytes}");
        return (int)(length / Cifar10.RecordBytes);
    }

    private static BadInputException WrongLength(string name, int records, long length)
    {
        long expected = (long)records * Cifar10.RecordBytes;
        return BadInputException.At(name, $"byte {Math.Min(length, expected)}", $"{expected} bytes ({records} records of {Cifar10.RecordBytes})", $"{length}");
    }

    private static void Fill(Cifar10 set, int first, int records, Stream content, string name)
    {
        var buffer = new byte[RecordsAtOnce * Cifar10.RecordBytes];
        for (int done = 0; done < records;)
        {
            int count = Math.Min(RecordsAtOnce, records - done);
            Span<byte> chunk = buffer.AsSpan(0, count * Cifar10.RecordBytes);
            int got = Read(content, chunk, name);
            if (got < chunk.Length) throw WrongLength(name, records, (long)done * Cifar10.RecordBytes + got);
            for (int i = 0; i < count; i++, done++)
            {
                ReadOnlySpan<byte> record = chunk.Slice(i * Cifar10.RecordBytes, Cifar10.RecordBytes);
                if (record[0] >= Cifar10.ClassNames.Count)
                    throw BadInputException.At(name, $"byte {(long)done * Cifar10.RecordBytes}", "a label 0..9", $"{record[0]}");
                set.Labels[first + done] = record[0];
                record[1..].CopyTo(set.Images.AsSpan((first + done) * Cifar10.ImageBytes));
            }
        }
    }

    private static int Read(Stream content, Span<byte> chunk, string name)
    {
        try
        {
            return content.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
        }
        catch (IOException e)
        {
            throw new BadInputException($"{name}: cannot be read: {e.Message}", e);
        }
    }
}
