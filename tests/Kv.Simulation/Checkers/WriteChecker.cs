using System.Globalization;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Stores;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Checkers;

/// <summary>
/// No acknowledged write is lost, nothing that an acknowledged write replaced or deleted is back, nothing is read that nobody wrote, and a read of as many
/// primaries as leave no room beside those that confirmed a write shows it. Knows of the cluster only what its clients are told.
/// </summary>
public sealed class WriteChecker(SimPlan plan, Journal journal)
{
    private readonly SortedDictionary<(int Type, int Key), TrackedKey> keys = [];
    private readonly Dictionary<ObjectKey, TrackedKey> byName = [];
    private readonly int losses = plan.Losses;
    private readonly Lifetimes lifetimes = new(plan, journal);

    public int Acknowledged { get; private set; }

    internal IEnumerable<TrackedKey> Keys => keys.Values;

    internal Lifetimes Lifetimes => lifetimes;

    /// <summary>A store was given this.</summary>
    internal void Saw(WriteBatch batch)
    {
        foreach (var entry in batch.Entries)
        {
            if (entry.Value is { } value && ObjectKeyCodec.TryDecode(entry.Key, out var name) && byName.TryGetValue(name, out var key)
                && key.Replacements is { } replacements && ObjectCodec.TryDecode(value, out var held, out _))
            {
                replacements.Saw(held);
            }
        }
    }

    public ObjectKey KeyOf(ClientCall call) => TrackedKeyOf(call).Key;

    public TrackedWrite Begin(ClientCall call, IReadOnlySet<string> seen, bool isBlindDelete)
    {
        var key = TrackedKeyOf(call);
        var name = string.Create(CultureInfo.InvariantCulture, $"w{call.Number}");
        lifetimes.Began(name, key.Type);
        foreach (var open in key.OpenDeletes)
        {
            open.MayCover!.Add(name);
        }

        if (call.Verb != ClientVerb.Delete || !isBlindDelete)
        {
            return new TrackedWrite(key.Type, key.History.Begin(name, seen, call.Verb == ClientVerb.Delete, mayReturn: call.AsIs), null) { OverBefore = Over(key) };
        }

        var mayCover = key.History.Writes.Select(write => write.Name).ToHashSet(StringComparer.Ordinal);
        var delete = new TrackedWrite(key.Type, key.History.Begin(name, mayCover, isDelete: true), mayCover) { OverBefore = Over(key) };
        key.OpenDeletes.Add(delete);
        return delete;
    }

    public void End(ClientCall call, TrackedWrite write, KvOutcome? outcome)
    {
        var key = TrackedKeyOf(call);
        var isAcknowledged = outcome is KvOutcome.Stored or KvOutcome.Deleted;
        if (outcome is not null && !IsIndeterminate(outcome))
        {
            key.History.End(write.Write);
            lifetimes.Ended(write.Name);
        }

        if (write.MayCover is not null)
        {
            // What became of it is unknown where there was no answer: then it may strike at any later time.
            if (outcome is not null && !IsIndeterminate(outcome))
            {
                key.OpenDeletes.Remove(write);
            }

            return;
        }

        if (isAcknowledged && IsProtected(call, key.Type))
        {
            Acknowledged++;
            write.Write.IsAcknowledged = true;
            lifetimes.Confirmed(write.Name, ConfirmingNodes(call, key.Type));
            key.Confirmed.Add((write.Name, call.Pw.Resolve(call.NVal ?? key.Type.NVal, QuorumValue.Of(0))));
        }
    }

    public ReadExpectation BeginRead(ClientCall call)
    {
        var key = TrackedKeyOf(call);
        var pr = call.Pr.Resolve(call.NVal ?? key.Type.NVal, QuorumValue.Of(0));
        return new ReadExpectation(losses == 0 ? [.. key.Confirmed.Select(write => (write.Name, Spared: write.Pw + pr - key.Type.NVal - 1)).Where(write => write.Spared >= 0)] : [], Over(key));
    }

    /// <summary>The key's writes that nobody may be shown any more.</summary>
    internal IReadOnlyList<string> Over(TrackedKey key) =>
        key.Type.TtlSeconds is null ? [] : [.. key.History.Writes.Select(write => write.Name).Where(lifetimes.IsOver)];

    /// <summary>What a node shows lasts by the clock that it goes by, which showed this or later when it was asked: see <see cref="Lifetimes.EarliestJudge"/>.</summary>
    internal void CheckLasts(ClientCall call, KvObject shown, DateTimeOffset clock)
    {
        var key = TrackedKeyOf(call);
        if (key.Type.TtlSeconds is { } seconds
            && shown.Siblings.FirstOrDefault(sibling => !sibling.IsTombstone && sibling.LastModifiedMicroseconds <= Expiry.Microseconds(clock.AddSeconds(-seconds))) is { } over)
        {
            journal.Violation($"{key.Key}: read {call.Number} shows {OutcomeText.ValueOf(over)}, whose time was over by the clock that the node goes by");
        }
    }

    /// <summary>The writes whose values the object shows. Null for an object that was not found.</summary>
    public IReadOnlySet<string> EndRead(ClientCall call, ReadExpectation expected, KvObject? found)
    {
        var key = TrackedKeyOf(call);
        var names = NamesOf(key, found);
        CheckNothingOver(key, expected.Over, names);
        foreach (var missing in Missing(key, expected, names))
        {
            journal.Violation($"{key.Type.Name}/{call.KeyName}: read {call.Number} shows [{string.Join(", ", names)}] and not {missing}, which pr and pw promise it");
        }

        return names;
    }

    /// <summary>What a write shows: its own value among others, or one that covers it by now; null where it is without values. Of a write-once type nothing is shown, whatever was asked.</summary>
    public IReadOnlySet<string>? EndBody(ClientCall call, TrackedWrite write, KvObject? body)
    {
        var isAskedFor = (call.ReturnBody || call.ReturnHead) && TrackedKeyOf(call).Type.Rule != BucketRule.WriteOnce;
        if (isAskedFor != (body is not null))
        {
            journal.Violation($"{write.Name} was to show {(call.ReturnBody ? "its body" : call.ReturnHead ? "its head" : "nothing")}, and shows {(body is null ? "nothing" : OutcomeText.Of(body))}");
        }

        if (body is null || !call.ReturnBody)
        {
            CheckIsHead(call, body);
            return null;
        }

        var key = TrackedKeyOf(call);
        var names = NamesOf(key, body);
        CheckNothingOver(key, write.OverBefore, names);
        if (key.Type.KeepsSiblings && lifetimes.Holds(write.Name) && key.History.Missing([write.Name], names).Any())
        {
            journal.Violation($"{key.Key}: {write.Name} is stored and shows [{string.Join(", ", names)}]");
        }

        return names;
    }

    /// <summary>A read without values gives none; whose they are is not to be seen.</summary>
    public void EndHeadRead(ClientCall call, KvObject heads) => CheckIsHead(call, heads);

    /// <summary>Nothing changed since the client saw these names: it is as if they were read again.</summary>
    public void EndUnchangedRead(ClientCall call, ReadExpectation expected, IReadOnlySet<string>? known)
    {
        var key = TrackedKeyOf(call);
        if (known is null)
        {
            journal.Violation($"{key.Key}: read {call.Number} says that nothing changed, and its client had seen nothing");
            return;
        }

        // A write that is stored as it comes takes the place of another under the same clock.
        if (!key.History.Writes.Any(write => write.MayReturn))
        {
            CheckNothingOver(key, expected.Over, known);
        }

        foreach (var missing in Missing(key, expected, known))
        {
            journal.Violation($"{key.Key}: read {call.Number} says that nothing changed since [{string.Join(", ", known)}], without {missing}, which pr and pw promise it");
        }
    }

    private IEnumerable<string> Missing(TrackedKey key, ReadExpectation expected, IReadOnlySet<string> shown) =>
        key.History.Missing([.. expected.Writes.Where(write => lifetimes.HoldsOnAllBut(write.Spared, write.Name)).Select(write => write.Name)], shown);

    private void CheckNothingOver(TrackedKey key, IReadOnlyList<string> over, IReadOnlySet<string> shown)
    {
        foreach (var name in over.Where(shown.Contains))
        {
            journal.Violation($"{key.Key}: {name} is shown, whose time was over");
        }
    }

    private void CheckIsHead(ClientCall call, KvObject? head)
    {
        if (head?.Siblings.Any(sibling => !sibling.Value.IsEmpty) == true)
        {
            journal.Violation($"{TrackedKeyOf(call).Key}: {call.Number} was to give no values, and gives {OutcomeText.Of(head)}");
        }
    }

    /// <summary>Looks at what every replica together still has, at the end of a run. What was <see cref="Over"/> before is not to be there.</summary>
    internal void Final(TrackedKey key, KvOutcome? last, IReadOnlyList<string> over)
    {
        if (last is not (KvOutcome.Found or KvOutcome.NotFound))
        {
            journal.Violation($"{key.Key}: at rest, a read of all replicas gives {OutcomeText.Of(last)}");
            return;
        }

        var names = NamesOf(key, (last as KvOutcome.Found)?.Object);
        key.LastShown = names;
        key.IsEmptySet = key.Type.Rule == BucketRule.Set && names.Count == 0 && last is KvOutcome.Found { Object.Siblings: var siblings } && siblings.Any(sibling => !sibling.IsTombstone);
        if (key.IsEmptySet && !(key.History.Writes.Any(write => write.IsDelete) && key.History.Writes.Any(write => !write.IsDelete && write.Seen.Count > 0)))
        {
            journal.Violation($"{key.Key}: a set without members is there, and no removal can have waited beside a delete");
        }

        CheckNothingOver(key, over, names);
        foreach (var write in key.History.Writes.Where(write => !lifetimes.Holds(write.Name)))
        {
            write.IsAcknowledged = false;
        }

        foreach (var problem in key.History.Violations(names))
        {
            journal.Violation($"{key.Key}: {problem}");
        }
    }

    private static bool IsIndeterminate(KvOutcome outcome) => outcome is KvOutcome.Failed { Error.IsIndeterminate: true };

    /// <summary>Whether the acknowledgement promises that the write outlives all that the plan lets happen; with its own life, see <see cref="Lifetimes"/>.</summary>
    private bool IsProtected(ClientCall call, BucketPlan type) =>
        (type.IsSynced || type.IsInMemory) && !call.AsIs && (losses == 0 || ConfirmingNodes(call, type) > plan.LostCopies);

    private static int ConfirmingNodes(ClientCall call, BucketPlan type)
    {
        // A request for fewer replicas than the type has cuts the type's properties to that.
        var replicas = call.NVal ?? type.NVal;
        return Math.Max(1, Math.Min(replicas, call.NodeConfirms.Resolve(replicas, QuorumValue.Of(type.NodeConfirms))));
    }

    private HashSet<string> NamesOf(TrackedKey key, KvObject? held)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sibling in held?.Siblings ?? [])
        {
            if (sibling.IsTombstone)
            {
                continue;
            }

            names.UnionWith(key.Type.Rule == BucketRule.Set ? OutcomeText.MembersOf(sibling) ?? ["(no set)"] : [OutcomeText.ValueOf(sibling)]);
        }

        foreach (var name in names.Where(name => !key.History.Writes.Any(write => write.Name == name)))
        {
            journal.Violation($"{key.Key}: {name} is there, which nobody wrote");
        }

        return names;
    }

    private TrackedKey TrackedKeyOf(ClientCall call)
    {
        if (!keys.TryGetValue((call.Type, call.Key), out var key))
        {
            var type = plan.Types[call.Type];
            keys.Add((call.Type, call.Key), key = new TrackedKey(new ObjectKey(type.Name, BucketPlan.BucketText, call.KeyName), type, lifetimes.ClocksAgree));
            byName.Add(key.Key, key);
        }

        return key;
    }
}
