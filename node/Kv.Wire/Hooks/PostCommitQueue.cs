using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Hooks;

/// <summary>
/// What one hook is still to be told. Each write is told at most a few times and then dropped; in no order, as several are told at once. Who stops it waits a little for what is left, and drops the rest.
/// </summary>
internal sealed partial class PostCommitQueue : IDisposable
{
    private const string Event = "postcommit";

    /// <summary>An answer is not looked at, but for its status.</summary>
    private const int LongestReply = 64 * 1024;

    private readonly HookEndpoint endpoint;
    private readonly HookHttp http;
    private readonly HookOptions options;
    private readonly RequestMemory memory;
    private readonly HookStatistics statistics;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly Channel<ReadOnlyMemory<byte>> waiting;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task telling;
    private int isFailing;

    public PostCommitQueue(HookEndpoint endpoint, HookHttp http, HookOptions options, RequestMemory memory, HookStatistics statistics, TimeProvider time, ILogger log)
    {
        (this.endpoint, this.http, this.options, this.memory, this.statistics, this.time, this.log) = (endpoint, http, options, memory, statistics, time, log);
        waiting = Channel.CreateBounded<ReadOnlyMemory<byte>>(options.QueueLength);
        telling = Task.WhenAll(Enumerable.Range(0, options.Tellers).Select(_ => TellAllAsync()));
    }

    /// <summary>What comes now would be dropped.</summary>
    public bool IsFull => waiting.Reader.Count >= options.QueueLength;

    /// <summary>False where the queue or the memory for it is full, or the node stops.</summary>
    public bool TryAdd(ReadOnlyMemory<byte> json)
    {
        if (!memory.Told.TryTake(json.Length))
        {
            return false;
        }

        if (!memory.Clients.TryTake(json.Length))
        {
            memory.Told.Release(json.Length);
            return false;
        }

        statistics.Queued();
        if (waiting.Writer.TryWrite(json))
        {
            return true;
        }

        Leave(json);
        return false;
    }

    /// <summary>Takes no more; ends when all is told, or <paramref name="patience"/> has passed and the rest is dropped.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        waiting.Writer.TryComplete();
        await Task.WhenAny(telling, Task.Delay(patience, time));
        await stopping.CancelAsync();
        await telling;
    }

    public void Dispose() => stopping.Dispose();

    private async Task TellAllAsync()
    {
        // Not on the thread of who makes the queue.
        await Task.Yield();
        await foreach (var json in waiting.Reader.ReadAllAsync(CancellationToken.None))
        {
            var isTold = !stopping.IsCancellationRequested && await TellAsync(json);
            if (!isTold)
            {
                statistics.Drop();
            }

            Leave(json);
        }
    }

    private async Task<bool> TellAsync(ReadOnlyMemory<byte> json)
    {
        for (var attempt = 0; ; attempt++)
        {
            var began = time.GetTimestamp();
            var reply = await http.PostAsync(endpoint, Event, json, LongestReply, options.Timeout, stopping.Token);
            statistics.Called(endpoint.Name, Event, reply.IsSuccess ? "accepted" : "failed", time.GetElapsedTime(began));
            Note(reply);
            if (reply.IsSuccess || !reply.MayPass || attempt == options.Retries.Length)
            {
                return reply.IsSuccess;
            }

            try
            {
                await Task.Delay(options.Retries[attempt], time, stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    private void Note(HookReply reply)
    {
        if (!reply.IsSuccess && Interlocked.Exchange(ref isFailing, 1) == 0)
        {
            LogFailing(endpoint.Name, endpoint.Address, reply.Problem ?? $"answered with status {reply.Status}");
        }
        else if (reply.IsSuccess && Interlocked.Exchange(ref isFailing, 0) == 1)
        {
            LogWorking(endpoint.Name);
        }
    }

    private void Leave(ReadOnlyMemory<byte> json)
    {
        statistics.Left();
        memory.Clients.Release(json.Length);
        memory.Told.Release(json.Length);
    }

    [LoggerMessage(2611, LogLevel.Warning, "the postcommit hook {Hook} at {Address} {Problem}; more of the same is not logged until it works")]
    private partial void LogFailing(string hook, Uri address, string problem);

    [LoggerMessage(2612, LogLevel.Information, "the postcommit hook {Hook} works again")]
    private partial void LogWorking(string hook);
}
