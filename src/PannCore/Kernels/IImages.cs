namespace PannCore.Kernels;

/// <summary>Work on a batch that can be done for any range of its images, in any order.</summary>
internal interface IImages
{
    /// <summary>Does the images [first, first + count).</summary>
    void Run(int first, int count, Scratch scratch);
}
