using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;

namespace Kv.Simulation.Running;

/// <summary>One client: does its calls in order, one at a time, and remembers what it saw of each key.</summary>
internal sealed class ClientActor(SimWorld world, IReadOnlyList<ClientCall> calls)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<(int Type, int Key), (VersionVector Clock, VersionVector? SetClock, IReadOnlySet<string> Names)> seen = [];

    public async Task RunAsync()
    {
        foreach (var call in calls)
        {
            if (call.At > world.Now)
            {
                await world.DelayAsync(call.At - world.Now);
            }

            if (!world.IsHealed && world.Serving(call.Node) is { } node)
            {
                await CallAsync(node, call);
            }
        }
    }

    private async Task CallAsync(Kv.TestKit.SimNode node, ClientCall call)
    {
        var key = world.Writes.KeyOf(call);
        var known = call.WithContext && seen.TryGetValue((call.Type, call.Key), out var last) ? last : default;
        if (call.Verb == ClientVerb.Get)
        {
            var expected = world.Writes.BeginRead(call);
            var (clock, jumped) = (world.Writes.Lifetimes.EarliestJudge(node, world.Cluster.Nodes), node.Clock.Jumped);
            var unlessIs = call.IfModified && seen.TryGetValue((call.Type, call.Key), out var saw) ? saw : default;
            var read = await AskAsync(node, call, ReadOf(call, key) with { IfModified = unlessIs.Clock });
            Remember(call, read, expected, unlessIs.Names);
            if (read is KvOutcome.Found { Object: var shown } && node.Clock.Jumped == jumped)
            {
                world.Writes.CheckLasts(call, shown, clock);
            }

            return;
        }

        var write = world.Writes.Begin(call, known.Names ?? new HashSet<string>(), isBlindDelete: known.Clock is null);
        var request = RequestOf(call, key, write, known.Clock);
        var outcome = await AskAsync(node, call, request is KvRequest.Put put && world.Plan.Types[call.Type].Rule == BucketRule.Set
            ? SetUpdates.Of(put, write.Name, known.SetClock, known.Names ?? new HashSet<string>())
            : request);
        world.Writes.End(call, write, outcome);
        RememberBody(call, write, outcome);
    }

    private static KvRequest.Get ReadOf(ClientCall call, ObjectKey key) => new()
    {
        Key = key,
        R = call.R,
        Pr = call.Pr,
        NodeConfirms = call.NodeConfirms,
        NVal = call.NVal,
        BasicQuorum = call.BasicQuorum,
        NotFoundOk = call.NotFoundOk,
        SloppyQuorum = call.Sloppy,
        Timeout = call.Timeout,
        HeadOnly = call.HeadOnly,
    };

    private static KvRequest RequestOf(ClientCall call, ObjectKey key, TrackedWrite write, VersionVector? context) => call.Verb == ClientVerb.Delete
        ? new KvRequest.Delete
        {
            Key = key,
            Context = context,
            Rw = call.Rw,
            R = call.R,
            Pr = call.Pr,
            W = call.W,
            Dw = call.Dw,
            Pw = call.Pw,
            NodeConfirms = call.NodeConfirms,
            NVal = call.NVal,
            SloppyQuorum = call.Sloppy,
            Timeout = call.Timeout,
        }
        : new KvRequest.Put
        {
            Key = key,
            Content = write.Content,
            Context = context ?? VersionVector.Empty,
            W = call.W,
            Dw = call.Dw,
            Pw = call.Pw,
            NodeConfirms = call.NodeConfirms,
            NVal = call.NVal,
            SloppyQuorum = call.Sloppy,
            Timeout = call.Timeout,
            IfNoneMatch = call.Verb == ClientVerb.PutIfNone,
            IfNotModified = call.Verb == ClientVerb.PutIfUnchanged,
            ReturnBody = call.ReturnBody,
            ReturnHead = call.ReturnHead,
            AsIs = call.AsIs,
        };

    private void Remember(ClientCall call, KvOutcome? read, ReadExpectation expected, IReadOnlySet<string>? known)
    {
        switch (read)
        {
            case KvOutcome.Found { Object: var heads } when call.HeadOnly:
                world.Writes.EndHeadRead(call, heads);
                break;
            case KvOutcome.Found found:
                var names = world.Writes.EndRead(call, expected, found.Object);
                seen[(call.Type, call.Key)] = (found.Object.Clock, SetUpdates.ClockOf(found.Object), names);
                break;
            case KvOutcome.NotFound none:
                world.Writes.EndRead(call, expected, null);
                seen[(call.Type, call.Key)] = (none.TombstoneContext ?? VersionVector.Empty, null, new HashSet<string>());
                break;
            case KvOutcome.Unchanged:
                world.Writes.EndUnchangedRead(call, expected, known);
                break;
        }
    }

    /// <summary>What a write shows is as good as a read, where it is all that its coordinator holds: not for a write without one, nor for a set that is still in parts.</summary>
    private void RememberBody(ClientCall call, TrackedWrite write, KvOutcome? outcome)
    {
        if (outcome is not KvOutcome.Stored stored)
        {
            return;
        }

        var names = world.Writes.EndBody(call, write, stored.Object);
        var isSet = world.Plan.Types[call.Type].Rule == BucketRule.Set;
        if (names is not null && !call.AsIs && stored.Object is { } body && !(isSet && SetUpdates.ClockOf(body) is null))
        {
            seen[(call.Type, call.Key)] = (body.Clock, SetUpdates.ClockOf(body), names);
        }
    }

    /// <summary>Null where the client does not hear how it ended: the node died, or the client did, or lost its patience.</summary>
    private async Task<KvOutcome?> AskAsync(Kv.TestKit.SimNode node, ClientCall call, KvRequest request)
    {
        world.Calls++;
        world.Journal.Note($"{call.Number,4} {call.What}{(node == world.Node(call.Node) ? "" : $" (at {node.Name})")}");
        var asked = node.AskAsync(request);
        await Task.WhenAny(asked, world.DelayAsync(call.DiesAfter ?? Patience));
        if (asked.IsFaulted)
        {
            world.Journal.Violation($"{node.Name} threw at a request: {asked.Exception.InnerException}");
        }

        var outcome = asked.IsCompletedSuccessfully ? await asked : null;
        world.Journal.Note($"{call.Number,4}   {OutcomeText.Of(outcome)}");
        return outcome;
    }
}
