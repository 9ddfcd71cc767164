using System.Reflection;
using System.Runtime.InteropServices;

namespace PannCore.Tests.Support;

/// <summary>Bytes in the arrays that can be reached from an object: unlike the heap's size, not disturbed by other tests.</summary>
internal static class ObjectSize
{
    /// <param name="root">Where to begin.</param>
    /// <param name="without">Types whose objects are left out, with all that only they reach.</param>
    public static long Of(object root, params Type[] without)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object>([root]);
        long bytes = 0;
        while (open.TryPop(out object? next))
        {
            Type type = next.GetType();
            if (without.Contains(type) || next is Type or Delegate or string or Pointer) continue;
            if (!type.IsValueType && !seen.Add(next)) continue;
            if (next is Array array)
            {
                Type element = type.GetElementType()!;
                bytes += (long)array.Length * (element.IsPrimitive ? Marshal.SizeOf(element) : IntPtr.Size);
                if (element.IsPrimitive) continue;
                foreach (object? item in array)
                {
                    if (item is not null) open.Push(item);
                }
                continue;
            }
            for (Type? level = type; level is not null; level = level.BaseType)
            {
                foreach (FieldInfo field in level.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                {
                    if (!field.FieldType.IsPrimitive && field.GetValue(next) is { } value) open.Push(value);
                }
            }
        }
        return bytes;
    }
}
