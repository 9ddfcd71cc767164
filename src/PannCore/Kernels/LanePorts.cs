using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PannCore.Kernels;

/// <summary>
/// Loads and stores of a register whose elements may be wider than those in memory: float64 over float32, each result rounded once to nearest.
/// Where the types are the same these are plain loads and stores.
/// </summary>
internal interface ILanePort<TMemory, TV>
    where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
    where TV : struct
{
    /// <summary>As many elements as the register has.</summary>
    static abstract TV Load(ref TMemory source);

    static abstract void Store(TV value, ref TMemory destination);
}

internal readonly struct Port512<TMemory, T> : ILanePort<TMemory, Vector512<T>>
    where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(ref TMemory source)
        => typeof(TMemory) == typeof(T)
            ? Vector512.LoadUnsafe(ref source).As<TMemory, T>()
            : Vector512.WidenLower(Vector256.LoadUnsafe(ref source).AsSingle().ToVector512Unsafe()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> value, ref TMemory destination)
    {
        if (typeof(TMemory) == typeof(T)) value.As<T, TMemory>().StoreUnsafe(ref destination);
        else if (Avx512F.IsSupported) Avx512F.ConvertToVector256Single(value.AsDouble()).As<float, TMemory>().StoreUnsafe(ref destination); // One instruction instead of three.
        else Vector512.Narrow(value.AsDouble(), value.AsDouble()).GetLower().As<float, TMemory>().StoreUnsafe(ref destination);
    }
}

internal readonly struct Port256<TMemory, T> : ILanePort<TMemory, Vector256<T>>
    where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(ref TMemory source)
        => typeof(TMemory) == typeof(T)
            ? Vector256.LoadUnsafe(ref source).As<TMemory, T>()
            : Vector256.WidenLower(Vector128.LoadUnsafe(ref source).AsSingle().ToVector256Unsafe()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> value, ref TMemory destination)
    {
        if (typeof(TMemory) == typeof(T)) value.As<T, TMemory>().StoreUnsafe(ref destination);
        else if (Avx.IsSupported) Avx.ConvertToVector128Single(value.AsDouble()).As<float, TMemory>().StoreUnsafe(ref destination); // One instruction instead of three.
        else Vector256.Narrow(value.AsDouble(), value.AsDouble()).GetLower().As<float, TMemory>().StoreUnsafe(ref destination);
    }
}

internal readonly struct Port128<TMemory, T> : ILanePort<TMemory, Vector128<T>>
    where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(ref TMemory source)
        => typeof(TMemory) == typeof(T)
            ? Vector128.LoadUnsafe(ref source).As<TMemory, T>()
            : Vector128.WidenLower(Vector64.LoadUnsafe(ref source).AsSingle().ToVector128Unsafe()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<T> value, ref TMemory destination)
    {
        if (typeof(TMemory) == typeof(T)) value.As<T, TMemory>().StoreUnsafe(ref destination);
        else Vector128.Narrow(value.AsDouble(), value.AsDouble()).GetLower().As<float, TMemory>().StoreUnsafe(ref destination);
    }
}

internal readonly struct Port1<TMemory, T> : ILanePort<TMemory, T>
    where TMemory : unmanaged, IFloatingPointIeee754<TMemory>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load(ref TMemory source) => T.CreateTruncating(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T value, ref TMemory destination) => destination = TMemory.CreateTruncating(value);
}
