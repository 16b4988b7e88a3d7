using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// What a commit of everything that is staged would do, as one step: any number of joins and leaves is one plan. A pure function of the document.
/// The <see cref="Id"/> names what the plan was made from (ring, members, zones, staged changes) and its result, and not the document's version, so that it
/// outlives changes that have nothing to do with it, and so that nodes whose claim differs do not commit each other's plans.
/// </summary>
public sealed record ClusterPlan
{
    /// <summary>Riak's default: no node twice in any four consecutive partitions, so that the first stand-in of three replicas is a fourth node.</summary>
    public const int TargetNVal = 4;

    /// <summary>Riak's default for failure domains.</summary>
    public const int NValPerZone = 3;

    /// <summary>16 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>The version of the document that it was computed from.</summary>
    public required long DocumentVersion { get; init; }

    public required ImmutableArray<StagedChange> Staged { get; init; }

    /// <summary>Owners as they will be when earlier transfers are done, next owners as this plan wants them.</summary>
    public required Ring Ring { get; init; }

    public required ImmutableArray<Transfer> Transfers { get; init; }

    /// <summary>All members, by id.</summary>
    public required ImmutableArray<PlannedMember> Members { get; init; }

    /// <summary>What a person should know before the commit: replicas that no assignment can put on distinct nodes or zones, uneven shares.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>The plan of what is staged; null where nothing is.</summary>
    public static ClusterPlan? Compute(ClusterDocument document)
    {
        if (document.Staged.IsEmpty)
        {
            return null;
        }

        var before = document.Ring.NextOwners;
        var claiming = ImmutableArray.CreateBuilder<ClaimMember>();
        foreach (var member in document.Members)
        {
            if (MemberRules.WillClaim(document, member))
            {
                claiming.Add(new ClaimMember(member.Id, member.Zone));
            }
        }

        var claim = Claim.Assign(document.Ring.Size, before, claiming.ToImmutable(), TargetNVal, NValPerZone);
        var ring = new Ring(before, claim.Owners);
        return new ClusterPlan
        {
            Id = MakeId(document, claim.Owners),
            DocumentVersion = document.Version,
            Staged = document.Staged,
            Ring = ring,
            Transfers = RingTransition.Pending(ring),
            Members = PlanMembers(document, claim.Owners),
            Warnings = claim.Warnings,
        };
    }

    private static ImmutableArray<PlannedMember> PlanMembers(ClusterDocument document, ImmutableArray<NodeId> after)
    {
        var now = RingTransition.Count(document.Ring.Owners);
        var next = RingTransition.Count(after);
        return
        [
            .. document.Members.Select(m => new PlannedMember(
                m.Id, m.Name, m.Zone, m.State, StateAfter(document, m), now.GetValueOrDefault(m.Id), next.GetValueOrDefault(m.Id))),
        ];
    }

    private static MemberState StateAfter(ClusterDocument document, Member member) => MemberRules.FindStaged(document, member.Id) switch
    {
        StagedChange.Join => MemberState.Valid,
        StagedChange.Leave => MemberState.Leaving,
        _ => member.State,
    };

    private static string MakeId(ClusterDocument document, ImmutableArray<NodeId> after)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(document.ClusterId.ToByteArray());
        foreach (var (now, next) in document.Ring.NextOwners.Zip(after))
        {
            Append(hash, now.Value);
            Append(hash, next.Value);
        }

        foreach (var member in document.Members)
        {
            var zone = Encoding.UTF8.GetBytes(member.Zone);
            Append(hash, member.Id.Value);
            Append(hash, MemberRules.WillClaim(document, member) ? 1ul : 0ul);
            Append(hash, (ulong)zone.Length);
            hash.AppendData(zone);
        }

        foreach (var staged in document.Staged)
        {
            Append(hash, staged.Node.Value);
            Append(hash, staged is StagedChange.Join ? 1ul : 2ul);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static void Append(IncrementalHash hash, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }
}
