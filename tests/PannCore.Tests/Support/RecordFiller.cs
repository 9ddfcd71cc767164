using System.Globalization;
using System.Reflection;

namespace PannCore.Tests.Support;

/// <summary>Makes a record with every part of it there, however deep, and no two numbers or texts alike: whatever is added to a record later is in it too.</summary>
internal sealed class RecordFiller
{
    private int _count;

    public static T Make<T>() => (T)new RecordFiller().Make(typeof(T));

    private object Make(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        _count++;
        if (type == typeof(double)) return _count + (1 / 3.0);
        if (type == typeof(int)) return _count;
        if (type == typeof(long)) return (1L << 40) + _count;
        if (type == typeof(bool)) return _count % 2 == 0;
        if (type == typeof(string)) return "text " + _count.ToString(CultureInfo.InvariantCulture);
        if (type == typeof(ReadOnlyMemory<byte>)) return new ReadOnlyMemory<byte>([1, 2, 3]);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)) return List(type.GetGenericArguments()[0]);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)) return Dictionary(type.GetGenericArguments());
        if (!type.IsClass || type.Namespace is not "PannCore.Diagnostics") throw new NotSupportedException($"{type}: add it here");

        ConstructorInfo constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        object made = constructor.Invoke([.. constructor.GetParameters().Select(p => Make(p.ParameterType))]);
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            if (property.CanWrite && constructor.GetParameters().All(p => p.Name != property.Name)) property.SetValue(made, Make(property.PropertyType));
        }
        return made;
    }

    private Array List(Type element)
    {
        var list = Array.CreateInstance(element, 2);
        for (int i = 0; i < 2; i++) list.SetValue(Make(element), i);
        return list;
    }

    private object Dictionary(Type[] types)
    {
        object dictionary = Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(types))!;
        dictionary.GetType().GetMethod("Add", types)!.Invoke(dictionary, [Make(types[0]), Make(types[1])]);
        return dictionary;
    }
}
