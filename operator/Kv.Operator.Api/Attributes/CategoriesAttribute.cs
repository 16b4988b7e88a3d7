namespace Kv.Operator.Api.Attributes;

/// <summary>Words that name several kinds at once to kubectl, as in <c>kubectl get kv</c>. KubeOps has none.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CategoriesAttribute(params string[] categories) : Attribute
{
    public IReadOnlyList<string> Categories { get; } = categories;
}
