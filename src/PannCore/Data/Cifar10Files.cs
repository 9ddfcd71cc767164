namespace PannCore.Data;

/// <summary>One file of the official binary version and what is known of it.</summary>
/// <param name="Name">File name, without folder.</param>
/// <param name="Length">Exact length in bytes.</param>
/// <param name="Md5">MD5 in lower-case hexadecimal.</param>
internal sealed record KnownFile(string Name, long Length, string Md5);

/// <summary>The names and sizes of the official binary version of CIFAR-10.</summary>
internal static class Cifar10Files
{
    public const string Folder = "cifar-10-batches-bin";
    public const string Archive = "cifar-10-binary.tar.gz";
    public const string Test = "test_batch.bin";
    public const string Meta = "batches.meta.txt";

    /// <summary>The bundled sample: the first <see cref="Cifar10.SamplePerClass"/> images of each class of the test file.</summary>
    public const string Sample = "cifar-10-sample.bin";
    public const string SampleSha256 = "2874326af7bc2185faa47540a6da15a077e5b66659f8e479abb9ab628170fa86";

    private const long BatchBytes = (long)Cifar10.BatchRecords * Cifar10.RecordBytes;

    public static IReadOnlyList<string> Train { get; } =
        Array.AsReadOnly(["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"]);

    public static IReadOnlyList<KnownFile> Known { get; } = Array.AsReadOnly<KnownFile>(
    [
        new("data_batch_1.bin", BatchBytes, "5dd7e06a14cb22eb9f671a540d1b7c25"),
        new("data_batch_2.bin", BatchBytes, "5ea93a67294ea407fff1d09f752e9692"),
        new("data_batch_3.bin", BatchBytes, "942cd6a4bcdd0dd3c604fbe906cb4421"),
        new("data_batch_4.bin", BatchBytes, "ae636b3ba5c66a11e91e8cb52e771fcb"),
        new("data_batch_5.bin", BatchBytes, "53f37980c15c3d472c316c40844f3f0d"),
        new(Test, BatchBytes, "803d5f7f4d78ea53de84dbe85f74fb6d"),
        new(Meta, 61, "728051cd483f366e254dddb25bead8b3"),
    ]);

    /// <summary>Whether the file has one of the six names that promise exactly 10,000 records.</summary>
    public static bool IsBatch(string name) => name == Test || Train.Contains(name);
}
