namespace PannCore.Ops;

/// <summary>In which arithmetic a polynomial activation is evaluated; its input and output are float32.</summary>
public enum PolynomialArithmetic
{
    /// <summary>float32 where its evaluation error is small beside the polynomial's own error, else float64.</summary>
    Automatic,

    /// <summary>float32.</summary>
    Float32,

    /// <summary>float64.</summary>
    Float64,
}
