using PannCore.Diagnostics;

namespace PannCore.Reports;

/// <summary>Figures that follow from one ledger line.</summary>
internal static class OperationFigures
{
    extension(OperationRecord operation)
    {
        public bool IsActivation => operation.LargestInput is not null || operation.Range is not null || operation.NegativeShare is not null;

        public double RelativeTotal => RelativeError.Of(operation).Total;

        /// <summary>RMS injected by the polynomial over RMS of the ideal output.</summary>
        public double RelativeApproximation => RelativeError.OverSignal(operation, operation.Approximation.Rms);

        /// <summary>RMS of the injected arithmetic error over that of the signal.</summary>
        public double RelativeArithmetic => RelativeError.OverSignal(operation, operation.Arithmetic.Rms);

        public double RelativeInherited => RelativeError.Of(operation).Inherited;

        public double RelativeInjected => RelativeError.Of(operation).Injected;

        /// <summary>|mean| / RMS of the injected approximation: 1 is a pure shift, 0 has no shift; null where nothing is injected.</summary>
        public double? Bias => operation.Approximation.Rms > 0 ? Math.Abs(operation.Approximation.Mean) / operation.Approximation.Rms : null;

        /// <summary>log2(B / largest |x|): bits of precision spent on a part of the range that no input reaches; negative where inputs leave it.</summary>
        public double? UnusedBits => operation is { Range: { } range, LargestInput: > 0 and var largest } ? Math.Log2(range / largest) : null;

        /// <summary>
        /// The least share of the squared injected error that inputs outside the range must account for, since inside it no error
        /// exceeds its bound; 0 where nothing left the range or no bound is known.
        /// </summary>
        public double OverflowShare
        {
            get
            {
                if (operation.OutOfRange == 0 || operation.ApproximationBound is not { } bound) return 0;
                double inside = bound / operation.Approximation.Rms;
                return inside < 1 ? 1 - inside * inside : 0;
            }
        }

        /// <summary>
        /// Correlation (about 0) of injected approximation and inherited error, from
        /// <c>total^2 = approximation^2 + inherited^2 + 2 r approximation inherited</c>; null where one is missing or where rounding,
        /// left out of this sum, is more than a hundredth of the smaller.
        /// </summary>
        public double? Alignment
        {
            get
            {
                double a = operation.Approximation.Rms, i = operation.Inherited.Rms, t = operation.Total.Rms;
                if (!(Math.Min(a, i) > 100 * operation.Arithmetic.Rms) || !double.IsFinite(a * i)) return null;
                return Math.Clamp((t * t - a * a - i * i) / (2 * a * i), -1, 1);
            }
        }
    }
}
