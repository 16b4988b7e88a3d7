using System.Reflection;
using Kv.Operator.Abstractions;
using Kv.Operator.Runtime;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

/// <summary>The runtime can be replaced by KubeOps as long as controllers know its abstractions alone.</summary>
public sealed class LayeringTests
{
    private const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Each controller; its compiler-made types hold the locals of its methods.</summary>
    [Fact]
    public void Controllers_KnowNothingOfTheRuntime()
    {
        var controllers = typeof(IEntityController<>).Assembly.GetTypes()
            .Where(type => type.GetInterfaces().Any(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IEntityController<>)))
            .ToList();
        Assert.Equal(2, controllers.Count);
        Assert.Empty(controllers.SelectMany(UsesOf).Where(type => type.Namespace == typeof(ControllerLoop<>).Namespace).Select(type => type.Name));
    }

    private static IEnumerable<Type> UsesOf(Type type) => type.GetNestedTypes(Own).Prepend(type).SelectMany(one => one.GetFields(Own).Select(field => field.FieldType)
        .Concat(one.GetConstructors(Own).SelectMany(made => made.GetParameters()).Select(parameter => parameter.ParameterType))
        .Concat(one.GetMethods(Own).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType))))
        .SelectMany(used => used.GetGenericArguments().Append(used));
}
