namespace PannCore.Data;

/// <summary>What was found where data were looked for.</summary>
public enum DataKind
{
    /// <summary>A folder with the official binary files.</summary>
    OfficialFiles,

    /// <summary>The official archive, not unpacked.</summary>
    OfficialArchive,

    /// <summary>The bundled sample: 1,000 test images, no training images.</summary>
    Sample,

    /// <summary>Another single file of records.</summary>
    RecordFile,
}

/// <summary>Where CIFAR-10 was found: the location that the readers of <see cref="Cifar10"/> take, and what lies there.</summary>
/// <param name="Location">A folder or a file.</param>
/// <param name="Kind">What it is.</param>
public sealed record DataFolder(string Location, DataKind Kind)
{
    private const string RepositoryMark = "PannCore.sln";

    /// <summary>Whether official files are there, which hold training images and all test images: one of them at least, or the archive.</summary>
    public bool IsOfficial => Kind is DataKind.OfficialFiles or DataKind.OfficialArchive;

    /// <summary>
    /// Looks in <paramref name="explicitLocation"/>; where that is not given, in <paramref name="environmentLocation"/>; where neither
    /// is given, in <c>data/cifar-10-batches-bin</c> and <c>data</c> below the current folder, then below each folder
    /// from the executable's up to the repository's. A place that is named but holds no data is an error: nothing else stands in for it.
    /// </summary>
    /// <param name="explicitLocation">The value of <c>--data</c>, or null.</param>
    /// <param name="environmentLocation">The value of the variable PANN_DATA, or null.</param>
    /// <param name="currentFolder">The current folder.</param>
    /// <param name="executableFolder">The folder of the running program.</param>
    /// <exception cref="BadInputException">Nothing found; the message names every place.</exception>
    public static DataFolder Find(string? explicitLocation, string? environmentLocation, string currentFolder, string executableFolder)
    {
        if (explicitLocation is { Length: 0 }) throw new BadInputException("--data: expected a folder or a file, found nothing");
        if (explicitLocation is not null) return At(explicitLocation) ?? throw NotFound("--data", [explicitLocation]);
        if (!string.IsNullOrEmpty(environmentLocation)) return At(environmentLocation) ?? throw NotFound("PANN_DATA", [environmentLocation]);

        List<string> places = [.. Roots(currentFolder, executableFolder).Select(root => Path.Combine(root, "data"))];
        return places.Select(At).FirstOrDefault(found => found is not null)
            ?? throw NotFound(null, [.. places.SelectMany(place => new[] { Path.Combine(place, Cifar10Files.Folder), place })]);
    }

    /// <summary>The folder that a download goes to by default: <c>data</c> of the repository, or of the current folder where there is none.</summary>
    public static string ForDownload(string currentFolder, string executableFolder)
        => Path.Combine(Roots(currentFolder, executableFolder).FirstOrDefault(root => File.Exists(Path.Combine(root, RepositoryMark))) ?? currentFolder, "data");

    private static DataFolder? At(string place)
    {
        if (File.Exists(place))
            return new DataFolder(place, Cifar10Archive.HasArchiveName(place) ? DataKind.OfficialArchive
                : Path.GetFileName(place) == Cifar10Files.Sample ? DataKind.Sample : DataKind.RecordFile);

        foreach (string folder in new[] { Path.Combine(place, Cifar10Files.Folder), place })
            if (Cifar10Files.Train.Append(Cifar10Files.Test).Any(name => File.Exists(Path.Combine(folder, name))))
                return new DataFolder(folder, DataKind.OfficialFiles);
        if (File.Exists(Path.Combine(place, Cifar10Files.Archive)))
            return new DataFolder(Path.Combine(place, Cifar10Files.Archive), DataKind.OfficialArchive);
        if (File.Exists(Path.Combine(place, Cifar10Files.Sample)))
            return new DataFolder(Path.Combine(place, Cifar10Files.Sample), DataKind.Sample);
        return null;
    }

    /// <summary>The current folder, then the executable's folder and those above it up to the repository's; without a repository, the executable's only.</summary>
    private static List<string> Roots(string currentFolder, string executableFolder)
    {
        string executable = Path.TrimEndingDirectorySeparator(executableFolder);
        var roots = new List<string>();
        for (string? folder = executable; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            roots.Add(folder);
            if (File.Exists(Path.Combine(folder, RepositoryMark))) return [.. roots.Prepend(currentFolder).Distinct(StringComparer.Ordinal)];
        }
        return [.. new[] { currentFolder, executable }.Distinct(StringComparer.Ordinal)];
    }

    private static BadInputException NotFound(string? from, IReadOnlyList<string> places)
        => new($"CIFAR-10{(from is null ? "" : $" named by {from}")}: looked in {string.Join(", ", places)}: "
            + $"expected the official binary files, {Cifar10Files.Archive} or {Cifar10Files.Sample}, found none; get the data with: pann data fetch");
}
