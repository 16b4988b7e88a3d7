namespace Kv.Operator.Api.Schema;

/// <summary>What is wrong with a field of a document: <paramref name="Field"/> as in <c>spec.zones[0].name</c>.</summary>
public sealed record SchemaProblem(string Field, string Text)
{
    public override string ToString() => Field.Length == 0 ? Text : $"{Field}: {Text}";
}
