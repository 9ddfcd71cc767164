using System.Security.Cryptography;

namespace PannCore.Data;

/// <summary>One thing that was checked.</summary>
/// <param name="File">The file's name, or the set's.</param>
/// <param name="Check">What was checked, for instance <c>MD5</c>.</param>
/// <param name="Expected">What should be there.</param>
/// <param name="Found">What is there.</param>
public sealed record DataCheck(string File, string Check, string Expected, string Found)
{
    /// <summary>Whether the two agree.</summary>
    public bool Passed => Expected == Found;
}

/// <summary>Compares data on disk with what is known of the official files: length, hash, labels and images of each class.</summary>
public static class Cifar10Verification
{
    /// <summary>Checks what <see cref="DataFolder.Find"/> found. Faults are rows that did not pass, not exceptions.</summary>
    /// <exception cref="BadInputException">A file cannot be opened.</exception>
    public static IReadOnlyList<DataCheck> Verify(DataFolder data) => data.Kind switch
    {
        DataKind.OfficialFiles => Files(data.Location),
        DataKind.OfficialArchive => Archive(data.Location),
        DataKind.Sample => Sample(data.Location),
        _ => [Labels(data.Location, Path.GetFileName(data.Location), out _)],
    };

    /// <summary>Whether a file is the official test file or the bundled sample of it, under whatever name.</summary>
    public static bool IsTestData(string path)
    {
        string name = Path.GetFileName(path);
        return name == Cifar10Files.Test || name == Cifar10Files.Sample
            || HashOf(path, MD5.HashData) == Cifar10Files.Known.Single(known => known.Name == Cifar10Files.Test).Md5
            || HashOf(path, SHA256.HashData) == Cifar10Files.SampleSha256;
    }

    /// <summary>Whether a folder holds a file with its known length and hash.</summary>
    internal static bool IsKnown(string folder, KnownFile known)
    {
        string path = Path.Combine(folder, known.Name);
        return File.Exists(path) && new FileInfo(path).Length == known.Length && HashOf(path, MD5.HashData) == known.Md5;
    }

    private static List<DataCheck> Files(string folder)
    {
        var checks = new List<DataCheck>();
        int[]? trainCounts = new int[Cifar10.ClassNames.Count];
        foreach (KnownFile known in Cifar10Files.Known)
        {
            string path = Path.Combine(folder, known.Name);
            if (!File.Exists(path))
            {
                checks.Add(new DataCheck(known.Name, "file", "present", "missing"));
                trainCounts = Cifar10Files.Train.Contains(known.Name) ? null : trainCounts;
                continue;
            }
            checks.Add(Length(path, known.Name, known.Length));
            checks.Add(new DataCheck(known.Name, "MD5", known.Md5, HashOf(path, MD5.HashData)));
            if (!Cifar10Files.IsBatch(known.Name)) continue;

            checks.Add(Labels(path, known.Name, out Cifar10? set));
            if (known.Name == Cifar10Files.Test)
                checks.AddRange(set is null ? [] : [Balance(known.Name, set.ClassCounts(), Cifar10.BatchRecords)]);
            else if (set is null)
                trainCounts = null;
            else if (trainCounts is not null)
                trainCounts = [.. trainCounts.Zip(set.ClassCounts(), (a, b) => a + b)];
        }
        if (trainCounts is not null) checks.Add(Balance("data_batch_1..5.bin", trainCounts, Cifar10Files.Train.Count * Cifar10.BatchRecords));
        return checks;
    }

    private static List<DataCheck> Archive(string path)
    {
        string name = Path.GetFileName(path);
        ArchiveFacts facts = ArchiveDownload.Official;
        return [Length(path, name, facts.Length), new DataCheck(name, "SHA-256", facts.Sha256, HashOf(path, SHA256.HashData))];
    }

    private static List<DataCheck> Sample(string path)
    {
        string name = Path.GetFileName(path);
        int images = Cifar10.ClassNames.Count * Cifar10.SamplePerClass;
        var checks = new List<DataCheck>
        {
            Length(path, name, (long)images * Cifar10.RecordBytes),
            new(name, "SHA-256", Cifar10Files.SampleSha256, HashOf(path, SHA256.HashData)),
            Labels(path, name, out Cifar10? set),
        };
        if (set is not null) checks.Add(Balance(name, set.ClassCounts(), images));
        return checks;
    }

    private static DataCheck Length(string path, string name, long expected)
        => new(name, "length", $"{expected}", $"{new FileInfo(path).Length}");

    private static DataCheck Labels(string path, string name, out Cifar10? set)
    {
        const string Expected = "0..9";
        try
        {
            set = Cifar10.ReadFile(path);
            return new DataCheck(name, "labels", Expected, Expected);
        }
        catch (BadInputException e)
        {
            set = null;
            return new DataCheck(name, "labels", Expected, e.Message);
        }
    }

    private static DataCheck Balance(string name, int[] counts, int images)
        => new(name, "images of each class", string.Join(' ', Enumerable.Repeat(images / counts.Length, counts.Length)), string.Join(' ', counts));

    private static string HashOf(string path, Func<Stream, byte[]> hash)
    {
        try
        {
            using FileStream file = InputFile.Open(path);
            return Convert.ToHexStringLower(hash(file));
        }
        catch (BadInputException e)
        {
            return e.Message;
        }
    }
}
