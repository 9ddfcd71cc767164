using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using PannCore.Engine;
using PannCore.Kernels;
using Tensor = PannCore.Engine.Tensor;

namespace PannCore.Data;

/// <summary>Turns images of a data set into network input: normalised, NHWC, augmented if asked for.</summary>
public sealed class BatchLoader
{
    private const int Side = 32;
    private readonly Cifar10 _data;
    private readonly float[] _table;

    /// <summary>A loader of one data set.</summary>
    public BatchLoader(Cifar10 data, Normalization normalization)
    {
        _data = data;
        _table = normalization.Table();
    }

    /// <summary>The images of these indices as [N,32,32,3].</summary>
    /// <param name="run">Whose tensor it will be.</param>
    /// <param name="indices">Which images.</param>
    /// <param name="augmentation">How they are cropped, mirrored and stretched in contrast; not at all by default.</param>
    /// <param name="mixture">With what each is mixed; nothing by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index, or one of a partner, is none of an image.</exception>
    /// <exception cref="ArgumentException">The mixture is one of another number of images.</exception>
    /// <exception cref="ShapeException">No image is asked for.</exception>
    public Tensor Load(Run run, ReadOnlyMemory<int> indices, Augmentation? augmentation = null, Mixture? mixture = null)
    {
        _data.CheckIndices(indices.Span, nameof(indices));
        if (mixture is not null)
        {
            if (mixture.Partners.Length != indices.Length)
                throw new ArgumentException($"mixture: {indices.Length} images need as many partners, got {mixture.Partners.Length}", nameof(mixture));
            _data.CheckIndices(mixture.Partners.Span, nameof(mixture));
        }
        Tensor images = run.Rent(new(indices.Length, Side, Side, 3));
        run.Workspace.Workers.Run(new Job(this, indices, augmentation, mixture, images.Memory), indices.Length);
        return images;
    }

    /// <summary>The labels of these indices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is none of an image.</exception>
    public byte[] Labels(ReadOnlySpan<int> indices)
    {
        _data.CheckIndices(indices, nameof(indices));
        byte[] labels = new byte[indices.Length];
        for (int i = 0; i < labels.Length; i++) labels[i] = _data.Labels[indices[i]];
        return labels;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Fill(int image, Augmentation? augmentation, Span<float> pixels)
    {
        ReadOnlySpan<byte> planes = _data.Image(image);
        (int down, int right, bool flip) = augmentation?.Window(image) ?? default;
        Span<byte> stretched = stackalloc byte[256];
        bool stretches = augmentation is { Contrast: not null };
        if (stretches) augmentation!.Value.Stretch(image, planes, stretched);
        for (int y = 0; y < Side; y++)
        {
            int fromY = y + down;
            for (int x = 0; x < Side; x++)
            {
                int fromX = (flip ? Side - 1 - x : x) + right;
                bool inside = fromY is >= 0 and < Side && fromX is >= 0 and < Side;
                for (int c = 0; c < 3; c++)
                {
                    byte value = inside ? planes[(((c * Side) + fromY) * Side) + fromX] : (byte)0;
                    pixels[(((y * Side) + x) * 3) + c] = _table[(256 * c) + (stretches ? stretched[value] : value)];
                }
            }
        }
    }

    private readonly struct Job(BatchLoader owner, ReadOnlyMemory<int> indices, Augmentation? augmentation, Mixture? mixture, Memory<float> pixels) : IJob
    {
        public void Run(int chunk, Scratch scratch)
        {
            const int size = Side * Side * 3;
            Span<float> image = pixels.Span.Slice(chunk * size, size);
            owner.Fill(indices.Span[chunk], augmentation, image);
            if (mixture is null) return;
            Span<float> partner = stackalloc float[size];
            owner.Fill(mixture.Partners.Span[chunk], augmentation, partner);
            TensorPrimitives.Subtract(image, partner, image);
            TensorPrimitives.MultiplyAdd(image, (float)mixture.Weight, partner, image);
        }
    }
}
