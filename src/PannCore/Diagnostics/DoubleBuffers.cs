using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Float64 tensors kept for reuse by shape: fresh ones cost more time than what fills them. Content is arbitrary.</summary>
internal sealed class DoubleBuffers
{
    private readonly Dictionary<Shape, Stack<DoubleTensor>> _free = [];

    public DoubleTensor Rent(Shape shape) => _free.TryGetValue(shape, out Stack<DoubleTensor>? stack) && stack.TryPop(out DoubleTensor? known) ? known : new(shape);

    public void Return(DoubleTensor tensor)
    {
        if (!_free.TryGetValue(tensor.Shape, out Stack<DoubleTensor>? stack)) _free[tensor.Shape] = stack = new();
        stack.Push(tensor);
    }

    /// <summary>Lets go of all that is free: the next batch has another size.</summary>
    public void Clear() => _free.Clear();
}
