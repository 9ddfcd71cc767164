namespace PannCore.Approximation;

/// <summary>What a <see cref="PlanStep"/> does with its operands x and y and its constant c.</summary>
public enum PlanOperation
{
    /// <summary>x + y.</summary>
    Add,

    /// <summary>x - y.</summary>
    Subtract,

    /// <summary>x + c.</summary>
    AddConstant,

    /// <summary>c x.</summary>
    MultiplyConstant,

    /// <summary>x y.</summary>
    Multiply,
}
