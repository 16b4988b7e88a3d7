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
