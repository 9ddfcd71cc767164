namespace PannCore.Kernels;

/// <summary>Work on a batch that can be done for any range of its images, in any order.</summary>
internal interface IImages
{
    /// <summary>Images that are best done together.</summary>
    int Group { get; }

    /// <summary>Does the images [first, first + count).</summary>
    void Run(int first, int count, Scratch scratch);
}

/// <summary>Such work, so many images a chunk.</summary>
internal readonly struct ImagesJob<TImages>(TImages work, int images) : IJob
    where TImages : struct, IImages
{
    public int Chunks => (images + work.Group - 1) / work.Group;

    public void Run(int chunk, Scratch scratch) => work.Run(chunk * work.Group, Math.Min(work.Group, images - (chunk * work.Group)), scratch);
}
