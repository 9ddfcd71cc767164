using System.Security.Cryptography;
using PannCore.Engine;

namespace PannCore.Data;

/// <summary>
/// A loaded set of CIFAR-10 images with their labels, as in the official binary version
/// (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009): a record of 3,073 bytes is the label 0..9,
/// then 1,024 red, 1,024 green and 1,024 blue bytes, each plane 32 x 32 in row order.
/// </summary>
/// <remarks>
/// A location is a folder with the official files (or one that holds <c>cifar-10-batches-bin</c>), the official
/// <c>cifar-10-binary.tar.gz</c>, which is read as a stream and never unpacked to disk, or a single file of any number of records.
/// </remarks>
public sealed class Cifar10
{
    /// <summary>Bytes of one image: 3 planes of 32 x 32.</summary>
    public const int ImageBytes = 3 * 32 * 32;

    /// <summary>Bytes of one record: the label and the image.</summary>
    public const int RecordBytes = 1 + ImageBytes;

    /// <summary>Records in each of the six official files.</summary>
    public const int BatchRecords = 10_000;

    /// <summary>Images of each class in the bundled sample of test images.</summary>
    public const int SamplePerClass = 100;

    /// <summary>A set made of arrays that are already there; they are kept, not copied.</summary>
    /// <param name="images">N x 3,072 bytes, channel-planar.</param>
    /// <param name="labels">N labels 0..9.</param>
    /// <param name="source">Where the images come from, for messages and reports.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other, or a label is above 9.</exception>
    public Cifar10(byte[] images, byte[] labels, string source)
    {
        if (images.Length != (long)labels.Length * ImageBytes)
            throw new ArgumentException($"cifar10: {labels.Length} labels need {(long)labels.Length * ImageBytes} image bytes, got {images.Length}", nameof(images));
        int wrong = labels.AsSpan().IndexOfAnyInRange((byte)ClassNames.Count, byte.MaxValue);
        if (wrong >= 0) throw new ArgumentException($"cifar10: label {wrong} expects 0..9, got {labels[wrong]}", nameof(labels));
        (Images, Labels, Source) = (images, labels, source);
    }

    /// <summary>One image as a network takes it, [1,32,32,3].</summary>
    public static Shape OneImage { get; } = new(1, 32, 32, 3);

    /// <summary>The ten classes in the order of their labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        Array.AsReadOnly(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]);

    /// <summary>N x 3,072 bytes, channel-planar: image n, channel c, row h, column w is at <c>((n * 3 + c) * 32 + h) * 32 + w</c>.</summary>
    public byte[] Images { get; }

    /// <summary>N labels 0..9.</summary>
    public byte[] Labels { get; }

    /// <summary>The number of images N.</summary>
    public int Count => Labels.Length;

    /// <summary>The file or files the images were read from.</summary>
    public string Source { get; }

    /// <summary>The 3,072 bytes of one image.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> Image(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return Images.AsSpan(index * ImageBytes, ImageBytes);
    }

    /// <summary>How many images each class has, in the order of the labels.</summary>
    public int[] ClassCounts()
    {
        var counts = new int[ClassNames.Count];
        foreach (byte label in Labels) counts[label]++;
        return counts;
    }

    /// <summary>The indices of the first images of each class, in the order of this set: the rule of the bundled sample.</summary>
    /// <param name="perClass">Images taken of each class.</param>
    /// <exception cref="BadInputException">A class has fewer images.</exception>
    public int[] FirstOfEachClass(int perClass)
    {
        int[] counts = ClassCounts();
        int shortOf = Array.FindIndex(counts, count => count < perClass);
        if (shortOf >= 0) throw BadInputException.At(Source, $"class {ClassNames[shortOf]}", $"at least {perClass} images", $"{counts[shortOf]}");

        var indices = new List<int>(perClass * counts.Length);
        var taken = new int[counts.Length];
        for (int n = 0; n < Count; n++)
            if (taken[Labels[n]]++ < perClass) indices.Add(n);
        return [.. indices];
    }

    /// <summary>A new set of some of these images, in the order of the indices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image.</exception>
    public Cifar10 Select(ReadOnlySpan<int> indices)
    {
        CheckIndices(indices, nameof(indices));
        var images = new byte[checked(indices.Length * ImageBytes)];
        var labels = new byte[indices.Length];
        for (int n = 0; n < indices.Length; n++)
        {
            labels[n] = Labels[indices[n]];
            Image(indices[n]).CopyTo(images.AsSpan(n * ImageBytes));
        }
        return new Cifar10(images, labels, $"{indices.Length} of {Source}");
    }

    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image.</exception>
    internal void CheckIndices(ReadOnlySpan<int> indices, string parameter)
    {
        int wrong = Count == 0 ? (indices.IsEmpty ? -1 : 0) : indices.IndexOfAnyExceptInRange(0, Count - 1);
        if (wrong >= 0) throw new ArgumentOutOfRangeException(parameter, $"cifar10: index {wrong} expects 0..{Count - 1}, got {indices[wrong]}");
    }

    /// <summary>SHA-256, in hexadecimal, of the SHA-256 of <see cref="Images"/> followed by that of <see cref="Labels"/>: which set this is.</summary>
    public string Digest() => Convert.ToHexStringLower(SHA256.HashData([.. SHA256.HashData(Images), .. SHA256.HashData(Labels)]));

    /// <summary>The same images, each cropped, mirrored and, if that is asked for, stretched in contrast, as training may meet it: for figures on training images that a network is not quite as sure of as of those images themselves.</summary>
    public Cifar10 Augmented(Augmentation augmentation)
    {
        const int side = 32;
        byte[] images = new byte[Images.Length];
        Span<byte> stretched = stackalloc byte[256];
        for (int image = 0; image < Count; image++)
        {
            (int down, int right, bool flip) = augmentation.Window(image);
            augmentation.Stretch(image, Image(image), stretched);
            for (int i = 0; i < ImageBytes; i++)
            {
                int x = i % side, y = i / side % side, fromX = (flip ? side - 1 - x : x) + right, fromY = y + down;
                if (fromX is >= 0 and < side && fromY is >= 0 and < side) images[(image * ImageBytes) + i] = stretched[Images[(image * ImageBytes) + (i / (side * side) * side * side) + (fromY * side) + fromX]];
            }
        }
        return new(images, Labels, Source);
    }

    /// <summary>Writes the set as official records.</summary>
    public void Write(Stream destination)
    {
        for (int n = 0; n < Count; n++)
        {
            destination.WriteByte(Labels[n]);
            destination.Write(Image(n));
        }
    }

    /// <summary>The 50,000 training images, data_batch_1 to data_batch_5; of a single file, all its images.</summary>
    /// <exception cref="BadInputException">Missing or wrong data, or a single file that is the official test file or the bundled sample, under whatever name.</exception>
    public static Cifar10 ReadTrain(string location)
    {
        if (File.Exists(location) && !Cifar10Archive.HasArchiveName(location) && Cifar10Verification.IsTestData(location))
            throw new BadInputException($"{Path.GetFileName(location)}: expected training images, found test images; get the full set with: pann data fetch");
        return Cifar10Reader.Read(location, Cifar10Files.Train);
    }

    /// <summary>The 10,000 test images; of a single file, all its images.</summary>
    /// <exception cref="BadInputException">Missing or wrong data.</exception>
    public static Cifar10 ReadTest(string location) => Cifar10Reader.Read(location, [Cifar10Files.Test]);

    /// <summary>One of the five training files of a folder or an archive.</summary>
    /// <param name="location">A folder or the official archive.</param>
    /// <param name="batch">1 to 5.</param>
    /// <exception cref="BadInputException">Missing or wrong data, or a single file.</exception>
    public static Cifar10 ReadBatch(string location, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(batch, Cifar10Files.Train.Count);
        string name = Cifar10Files.Train[batch - 1];
        if (File.Exists(location) && !Cifar10Archive.HasArchiveName(location))
            throw new BadInputException($"{Path.GetFileName(location)}: expected a folder or an archive with {name}, found a single file; get the full set with: pann data fetch");
        return Cifar10Reader.Read(location, [name]);
    }

    /// <summary>All images of one file: any number of records, exactly 10,000 where the file has an official name.</summary>
    /// <exception cref="BadInputException">Missing file, wrong length, or a label above 9.</exception>
    public static Cifar10 ReadFile(string path) => Cifar10Reader.ReadFile(path);
}
