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
            var read = await AskAsync(node, call, new KvRequest.Get
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
            });
            Remember(call, read, expected);
            return;
        }

        var write = world.Writes.Begin(call, known.Names ?? new HashSet<string>(), isBlindDelete: known.Clock is null);
        var request = RequestOf(call, key, write, known.Clock);
        world.Writes.End(call, write, await AskAsync(node, call, request is KvRequest.Put put && world.Plan.Types[call.Type].Rule == BucketRule.Set
            ? SetUpdates.Of(put, write.Name, known.SetClock, known.Names ?? new HashSet<string>())
            : request));
    }

    private static KvRequest RequestOf(ClientCall call, ObjectKey key, TrackedWrite write, VersionVector? context) => call.Verb == ClientVerb.Delete
        ? new KvRequest.Delete
        {
            Key = key,
            Context = context,
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
        };

    private void Remember(ClientCall call, KvOutcome? read, ReadExpectation expected)
    {
        switch (read)
        {
            case KvOutcome.Found found:
                var names = world.Writes.EndRead(call, expected, found.Object);
                seen[(call.Type, call.Key)] = (found.Object.Clock, SetUpdates.ClockOf(found.Object), names);
                break;
            case KvOutcome.NotFound none:
                world.Writes.EndRead(call, expected, null);
                seen[(call.Type, call.Key)] = (none.TombstoneContext ?? VersionVector.Empty, null, new HashSet<string>());
                break;
        }
    }

    /// <summary>Null where the client does not hear how it ended: the node died, or the client did, or lost its patience.</summary>
    private async Task<KvOutcome?> AskAsync(Kv.TestKit.SimNode node, ClientCall call, KvRequest request)
    {
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
