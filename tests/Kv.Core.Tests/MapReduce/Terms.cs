using System.Text;
using Kv.Core.Causality;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.MapReduce;

/// <summary>Terms as tests write them.</summary>
internal static class Terms
{
    public static Term Json(string json)
    {
        Assert.True(TermJson.TryRead(Encoding.UTF8.GetBytes(json), 1 << 20, out var term, out var problem), problem);
        return term;
    }

    public static IReadOnlyList<Term> List(string json) => ((Term.List)Json(json)).Items;

    public static ObjectKey Key(string name) => new(ObjectKey.DefaultType, "b", name);

    public static Term.Address Address(string name, string? keyData = null) => new(Key(name), keyData is null ? null : Term.Of(keyData));

    public static KvObject Object(params string[] values) => KvObject.Create(
        VersionVector.Empty, values.Select((value, at) => new Sibling { Dot = null, Value = Encoding.UTF8.GetBytes(value), LastModifiedMicroseconds = at, VTag = $"tag{at}" }));
}
