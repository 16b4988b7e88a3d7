using System.Diagnostics;
using Grpc.Core;
using Kv.Protos.Kv.V1;
using AdminClient = Kv.Protos.Admin.V1.Admin.AdminClient;
using DataClient = Kv.Protos.Kv.V1.Kv.KvClient;
using Member = Kv.Protos.Admin.V1.Member;

namespace Kv.Kubectl.Connections;

/// <summary>
/// Asks the nodes in turn until one answers: a dead node, or one that is not ready, is no failure while another is there. A call that may not be
/// done twice goes on to the next node only where the last one is sure not to have done it. The nodes are looked for with the first question: a command
/// whose arguments are wrong asks nobody.
/// </summary>
/// <param name="find">Finds the cluster; called once.</param>
/// <param name="timeout">For each operation, all nodes together.</param>
internal sealed class NodeCaller(Func<CancellationToken, Task<INodeAccess>> find, TimeSpan timeout) : IDisposable
{
    /// <summary>How long a question waits for one node while there are others to ask.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>What a node's own error gets to arrive, after the time that the node was given.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Who answered last: asked first the next time, so that a command of several questions waits for a hanging node once.</summary>
    private NodeAddress? answered;

    private INodeAccess? access;

    /// <summary>The way that the questions before took.</summary>
    public INodeAccess Access => access ?? throw new InvalidOperationException("nobody was asked yet");

    /// <summary>Finds the cluster, for what has to be known of it, or done, before a first question.</summary>
    public async Task<INodeAccess> OpenAsync(CancellationToken cancel) => access ??= await find(cancel);

    /// <summary>A call of the admin port. All of them are safe to repeat.</summary>
    public Task<T> AdminAsync<T>(Func<AdminClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancel) =>
        InTurnAsync(NodePort.Admin, async attempt => await call(new AdminClient(attempt.Invoker), attempt.Options), _ => null, isRepeatable: true, cancel);

    /// <summary>A call of one node's admin port, and of no other's.</summary>
    public async Task<T> AdminOfAsync<T>(NodeAddress node, Func<AdminClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancel) =>
        await call(new AdminClient(Access.Open(node, NodePort.Admin)), new CallOptions(deadline: DateTime.UtcNow + Patience, cancellationToken: cancel));

    /// <summary>A call of one member's admin port, whose failure ends the command.</summary>
    public async Task<T> AdminOfAsync<T>(Member member, Func<AdminClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancel)
    {
        var address = Access.Find(member.Name, member.Endpoints.GetValueOrDefault("admin")) ?? throw new CliException(ExitCode.Unavailable, $"{member.Name} cannot be reached from here");
        try
        {
            return await AdminOfAsync(address, call, cancel);
        }
        catch (RpcException error) when (!cancel.IsCancellationRequested)
        {
            throw CallErrors.Of(error, NodePort.Admin, "");
        }
    }

    /// <summary>An operation on data, with the milliseconds that the node has for it. An error in the answer is thrown.</summary>
    public Task<T> DataAsync<T>(Func<DataClient, CallOptions, uint, AsyncUnaryCall<T>> call, Func<T, Error?> errorOf, bool isRepeatable, CancellationToken cancel) =>
        InTurnAsync(
            NodePort.Grpc,
            async attempt => await call(new DataClient(attempt.Invoker), attempt.Options, attempt.Milliseconds),
            errorOf,
            isRepeatable,
            cancel);

    /// <summary>A listing. Goes on to the next node only while nothing of it has been taken.</summary>
    public async Task StreamAsync<T>(
        Func<DataClient, CallOptions, uint, AsyncServerStreamingCall<T>> call, Func<T, Task> take, CancellationToken cancel)
    {
        var hasTaken = false;
        await InTurnAsync<object?>(
            NodePort.Grpc,
            async attempt =>
            {
                using var stream = call(new DataClient(attempt.Invoker), attempt.Options, attempt.Milliseconds);
                try
                {
                    while (await stream.ResponseStream.MoveNext(cancel))
                    {
                        hasTaken = true;
                        await take(stream.ResponseStream.Current);
                    }
                }
                catch (RpcException e) when (hasTaken && !cancel.IsCancellationRequested)
                {
                    throw CallErrors.Of(e, NodePort.Grpc, "what was listed is not all: ");
                }

                return null;
            },
            _ => null,
            isRepeatable: true,
            cancel,
            patience: timeout);
    }

    public void Dispose() => access?.Dispose();

    private async Task<T> InTurnAsync<T>(
        NodePort port, Func<Attempt, Task<T>> call, Func<T, Error?> errorOf, bool isRepeatable, CancellationToken cancel, TimeSpan? patience = null)
    {
        await OpenAsync(cancel);
        var nodes = Access.Nodes.Where(node => node.Of(port) is not null).OrderByDescending(node => node == answered).ToList();
        if (nodes.Count == 0)
        {
            throw CliException.Usage(port == NodePort.Admin
                ? $"the admin port is not known from {Access.Origin}: name it with --admin-endpoint"
                : $"the grpc port is not known from {Access.Origin}: name it with --endpoint");
        }

        var started = Stopwatch.GetTimestamp();
        var failures = new FailedAttempts(Access.Origin, port, timeout);
        for (var i = 0; i < nodes.Count; i++)
        {
            var left = timeout - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                break;
            }

            var limit = patience ?? Patience;
            limit = isRepeatable && i + 1 < nodes.Count && limit < left ? limit : left;
            var options = new CallOptions(deadline: DateTime.UtcNow + limit + Grace, cancellationToken: cancel);
            try
            {
                var answer = await call(new Attempt(Access.Open(nodes[i], port), options, (uint)Math.Max(1, limit.TotalMilliseconds)));
                if (errorOf(answer) is not { } error)
                {
                    answered = nodes[i];
                    return answer;
                }

                if (!CallErrors.IsNotDone(error))
                {
                    throw CallErrors.Of(error);
                }

                failures.Add(error);
            }
            catch (RpcException) when (cancel.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancel);
            }
            catch (RpcException e) when (isRepeatable ? CallErrors.IsOfThisNode(e) : CallErrors.IsNotSent(e))
            {
                failures.Add(nodes[i], e);
            }
            catch (RpcException e)
            {
                throw CallErrors.Of(e, port, isRepeatable ? "" : "it is not known whether the write was done: ");
            }
        }

        throw failures.ToException();
    }

    private sealed record Attempt(CallInvoker Invoker, CallOptions Options, uint Milliseconds);
}
