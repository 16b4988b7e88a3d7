using System.Text;
using Kv.Core.Causality;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Xunit;

namespace Kv.Core.Tests.Indexes;

/// <summary>Which entries an object has (riak_object:index_specs).</summary>
public sealed class IndexEntriesTests
{
    private static readonly ObjectKey Name = new("t", Encoding.UTF8.GetBytes("b"), Encoding.UTF8.GetBytes("k"));

    [Fact]
    public void EntriesOfAllSiblings_AreTheObjects_EachOnce()
    {
        var entries = IndexEntries.Of(Name, Held([("color_bin", "red"), ("age_int", "7")], [("Color_Bin", "red"), ("color_bin", "blue")]));
        Assert.Equal(
            new[] { Entry("age_int", "7"), Entry("color_bin", "blue"), Entry("color_bin", "red") }.Order(),
            entries.Select(entry => Convert.ToHexString(entry.Span)).Order());
    }

    [Fact]
    public void WhatIsNoTermOfItsField_HasNoEntry() =>
        Assert.Empty(IndexEntries.Of(Name, Held([("age_int", "seven"), ("color", "red"), ("", "x")])));

    [Fact]
    public void AFieldWithANul_HasNoEntry_AndNoQuery()
    {
        Assert.Empty(IndexEntries.Of(Name, Held([("a_bin\0b_bin", "x"), ("\0_int", "1")])));
        Assert.False(IndexRange.TryCreate(new IndexQuery(new BucketName("t", "b"), "a_bin\0b_bin", "x", null), out _, out _));
    }

    [Fact]
    public void MoreEntriesThanAnObjectMayHave_AreTheFirst()
    {
        (string, string)[] half = [.. Enumerable.Range(0, 600).Select(number => ("n_int", $"{number}"))];
        (string, string)[] other = [.. Enumerable.Range(500, 600).Select(number => ("n_int", $"{number}"))];
        Assert.True(IndexEntries.Fit(Name, Held(half, half).Siblings.AsSpan()));
        var both = Held(half, other);
        Assert.False(IndexEntries.Fit(Name, both.Siblings.AsSpan()));
        Assert.Equal(Enumerable.Range(0, IndexEntries.MaxEntries).Select(number => Entry("n_int", $"{number}")).Order(), IndexEntries.Of(Name, both).Select(entry => Convert.ToHexString(entry.Span)).Order());
    }

    [Fact]
    public void EntriesOfALongKey_AreBoundedByTheirBytes()
    {
        var name = new ObjectKey("t", "b"u8.ToArray(), new byte[60 * 1024]);
        var held = Held([.. Enumerable.Range(0, 100).Select(number => ("n_int", $"{number}"))]);
        Assert.False(IndexEntries.Fit(name, held.Siblings.AsSpan()));
        Assert.Equal(8, IndexEntries.Of(name, held).Count);
    }

    [Fact]
    public void ATermBeyondTheBound_HasNoEntry() => Assert.Empty(IndexEntries.Of(Name, Held([("a_bin", new string('x', IndexEntries.MaxLength))])));

    private static string Entry(string field, string term) =>
        Convert.ToHexString([.. IndexEntries.FieldPrefix(new BucketName("t", "b"), field), .. IndexEntries.EncodeTerm(field, term)!, .. Name.Key.Span]);

    private static KvObject Held(params (string Field, string Term)[][] siblings) => KvObject.Create(
        VersionVector.Empty,
        [
            .. siblings.Select((pairs, at) => new Sibling
            {
                Dot = null,
                VTag = $"{at}",
                Metadata = new ObjectMetadata { Indexes = [.. pairs.Select(pair => KeyValuePair.Create(pair.Field, pair.Term))] },
            }),
        ]);
}
