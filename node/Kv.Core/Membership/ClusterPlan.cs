using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// What a commit of everything that is staged would do, as one step: any number of joins, leaves, replacements and removals is one plan. A pure function of the document.
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

    /// <summary>Owners as they are when the plan may be committed: after earlier transfers, and with heirs in place of the dead; next owners as this plan wants them.</summary>
    public required Ring Ring { get; init; }

    public required ImmutableArray<Transfer> Transfers { get; init; }

    /// <summary>Partitions whose owners will have to rebuild them from other replicas.</summary>
    public ImmutableArray<PartitionId> Rebuilding => Ring.Rebuilding;

    /// <summary>Keys that no owner will hold, by number of replicas; those without loss are left out.</summary>
    public required ImmutableArray<LostKeys> Lost { get; init; }

    /// <summary>All members, by id.</summary>
    public required ImmutableArray<PlannedMember> Members { get; init; }

    /// <summary>What a person should know before the commit: replicas that no assignment can put on distinct nodes or zones, uneven shares.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>
    /// All that is staged is about dead members: the commit does not wait for transfers that are under way, since the dead may be what they wait for.
    /// </summary>
    public required bool IsUrgent { get; init; }

    /// <summary>The plan of what is staged; null where nothing is.</summary>
    public static ClusterPlan? Compute(ClusterDocument document)
    {
        if (document.Staged.IsEmpty)
        {
            return null;
        }

        var lost = document.Staged.Select(s => s.Lost).OfType<NodeId>().ToHashSet();
        var isUrgent = document.Staged.All(s => s.Lost is not null);
        var before = isUrgent ? document.Ring.Owners : document.Ring.NextOwners;
        var (after, warnings) = Assign(document, lost);

        // What a dead member owns belongs to its heir at once; everything else stays where it is until it is handed over.
        ImmutableArray<NodeId> owners = [.. before.Select((owner, p) => lost.Contains(owner) ? after[p] : owner)];
        var rebuilding = Enumerable.Range(0, document.Ring.Size).Select(number => new PartitionId(number))
            .Where(p => lost.Contains(before[p.Number]) || document.Ring.IsRebuilding(p));
        var ring = new Ring(owners, after, [.. rebuilding], NextPlannedAt(document));
        return new ClusterPlan
        {
            Id = MakeId(document, after),
            DocumentVersion = document.Version,
            Staged = document.Staged,
            Ring = ring,
            Transfers = RingTransition.Pending(ring),
            Members = PlanMembers(document, after),
            Lost = LossRules.LostKeys(document, ring),
            Warnings = [.. warnings, .. LossWarnings(document, ring)],
            IsUrgent = isUrgent,
        };
    }

    /// <summary>The next ring's <see cref="Ring.PlannedAt"/>: above the last one's also where several changes go into one version.</summary>
    internal static long NextPlannedAt(ClusterDocument document) => Math.Max(document.Ring.PlannedAt, document.Version) + 1;

    /// <summary>Who is to own each partition. Where nodes are replaced and nothing else is staged, each replacement has exactly what its dead one had.</summary>
    private static (ImmutableArray<NodeId> Owners, ImmutableArray<string> Warnings) Assign(ClusterDocument document, HashSet<NodeId> lost)
    {
        var heirs = document.Staged.OfType<StagedChange.Replace>().ToDictionary(r => r.Dead, r => r.Joining);
        ImmutableArray<NodeId> inherited =
        [
            .. document.Ring.NextOwners.Select((next, p) =>
                heirs.TryGetValue(next, out var heir) ? heir

                // A transfer to a dead node: its source has the data still.
                : lost.Contains(next) && !lost.Contains(document.Ring.Owners[p]) ? document.Ring.Owners[p]
                : next),
        ];
        if (heirs.Count == document.Staged.Length)
        {
            return (inherited, []);
        }

        var claiming = document.Members.Where(m => MemberRules.WillClaim(document, m)).Select(m => new ClaimMember(m.Id, m.Zone)).ToImmutableArray();
        var claim = Claim.Assign(document.Ring.Size, inherited, claiming, TargetNVal, NValPerZone);
        return (claim.Owners, claim.Warnings);
    }

    private static IEnumerable<string> LossWarnings(ClusterDocument document, Ring ring)
    {
        foreach (var lost in LossRules.LostKeys(document, ring))
        {
            yield return $"{lost.Ranges} of {ring.Size} ranges of keys that have {lost.NVal} replicas have none left: their data is lost";
        }

        foreach (var staged in document.Staged)
        {
            if (staged.Lost is not { } lost || document.FindMember(lost) is not { } dead)
            {
                continue;
            }

            yield return $"{dead.Name} ({dead.Id}) is given up: writes that no other member has are lost";
            if (staged is StagedChange.Replace && document.FindMember(staged.Node) is { } heir && heir.Zone != dead.Zone)
            {
                yield return $"{heir.Name} is in zone '{heir.Zone}', and {dead.Name}, whose partitions it takes, in '{dead.Zone}': replicas may come to share a zone";
            }
        }
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

    private static MemberState? StateAfter(ClusterDocument document, Member member) => MemberRules.FindStaged(document, member.Id) switch
    {
        StagedChange.Join or StagedChange.Replace => MemberState.Valid,
        StagedChange.Leave => MemberState.Leaving,
        StagedChange.Remove => null,
        _ => LossRules.ReplacementOf(document, member.Id) is null ? member.State : null,
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
            Append(hash, staged switch
            {
                StagedChange.Join => 1ul,
                StagedChange.Leave => 2ul,
                StagedChange.Replace => 3ul,
                _ => 4ul,
            });
            if (staged is StagedChange.Replace replace)
            {
                Append(hash, replace.Dead.Value);
            }
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
