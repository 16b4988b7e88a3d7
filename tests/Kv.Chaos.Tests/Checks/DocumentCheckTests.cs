using Kv.Chaos.Checks;
using Kv.Chaos.Rings;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Chaos.Tests.Checks;

public sealed class DocumentCheckTests
{
    private readonly DocumentCheck check = new();

    [Fact]
    public void OneDocumentToAVersion_IsRight_WhateverNodesSeeOfEachOther()
    {
        check.Note("n0", Shown(1));
        var other = Shown(1);
        other.Members[0].Up = true;
        other.Members[0].DocumentVersion = 7;
        check.Note("n1", other);
        var later = Shown(2);
        later.Owners[3] = 1;
        check.Note("n0", later);
        Assert.Empty(check.Problems);
        Assert.Equal(2, check.Versions);
    }

    [Fact]
    public void TwoDocumentsOfOneVersion_AreAFork()
    {
        check.Note("n0", Shown(1));
        var other = Shown(1);
        other.Owners[3] = 1;
        check.Note("n1", other);
        Assert.Contains("version 1 is", Assert.Single(check.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void APartitionWithoutAMember_HasNoOwner()
    {
        var shown = Shown(1);
        shown.Owners[3] = 2;
        check.Note("n0", shown);
        Assert.Contains("have an owner", Assert.Single(check.Problems), StringComparison.Ordinal);
    }

    private static Kv.Protos.Admin.V1.Cluster Shown(long version) => new()
    {
        ClusterId = "chaos",
        DocumentVersion = version,
        Members = { new Member { Name = "n0", Id = "0", State = MemberState.Valid }, new Member { Name = "n1", Id = "1", State = MemberState.Valid } },
        Owners = { Enumerable.Repeat(0u, RingAdmin.RingSize) },
    };
}
