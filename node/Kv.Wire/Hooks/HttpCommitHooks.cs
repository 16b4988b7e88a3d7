using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Kv.Cluster.Hooks;
using Kv.Core.Objects;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Hooks;

/// <summary>
/// Commit hooks as HTTP callbacks: a precommit hook answers 204 (or 200 with nothing) for yes, 200 with an object in place of what it was shown, 403 with a text for no. All else is a failure, of which the hook's
/// endpoint says whether the write is refused for it. What is asked takes room of the clients' memory, what waits to be told has a part of its own.
/// </summary>
public sealed partial class HttpCommitHooks : ICommitHooks, IAsyncDisposable
{
    private const string Event = "precommit";

    /// <summary>Characters of a hook's own words that its writer is told.</summary>
    private const int LongestMessage = 1000;

    /// <summary>Of the largest object, text of it in JSON, an answer as long, and what is read of that.</summary>
    private const int CopiesOfValue = 8;

    /// <summary>Of an object in JSON while it is written: the text, and the buffers that it outgrows.</summary>
    private const int CopiesOfText = 4;

    /// <summary>Names, metadata and their like, in what is asked and what is answered.</summary>
    private const int BytesBesideValue = 64 * 1024;

    private readonly HookOptions options;
    private readonly MemoryShare memory;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly HookHttp http;
    private readonly HookStatistics statistics = new();
    private readonly ImmutableDictionary<string, PostCommitQueue> queues;
    private readonly ConcurrentDictionary<string, bool> failing = new(StringComparer.Ordinal);
    private int asking;

    public HttpCommitHooks(HookOptions options, RequestMemory memory, TimeProvider time, ILogger<HttpCommitHooks> log)
    {
        (this.options, this.memory, this.time, this.log) = (options, memory.Clients, time, log);
        http = new HookHttp(options, time);
        queues = options.Endpoints.Values.ToImmutableDictionary(
            endpoint => endpoint.Name, endpoint => new PostCommitQueue(endpoint, http, options, memory, statistics, time, log), StringComparer.Ordinal);
    }

    /// <summary>Writes that a hook was not told of: its queue was full, the object too large, or the hook gave no answer.</summary>
    public long Dropped => statistics.Dropped;

    public async ValueTask<PreCommitAnswer> AskAsync(string hook, ObjectKey key, KvObject proposed, TimeSpan atMost)
    {
        var began = time.GetTimestamp();
        if (!options.Endpoints.TryGetValue(hook, out var endpoint))
        {
            statistics.Called(HookStatistics.UnknownHook, Event, "failed", TimeSpan.Zero);
            return new PreCommitAnswer.Failed(NoCommitHooks.Unknown(hook));
        }

        var answer = await TryAskAsync(endpoint, key, proposed, atMost);
        var isIgnored = endpoint.IsIgnoredOnFailure && answer is PreCommitAnswer.Failed or PreCommitAnswer.Overloaded;
        statistics.Called(hook, Event, isIgnored ? "ignored" : NameOf(answer), time.GetElapsedTime(began));
        Note(endpoint, answer);
        return isIgnored ? new PreCommitAnswer.Accepted() : answer;
    }

    public void Tell(string hook, ObjectKey key, KvObject written)
    {
        if (!queues.TryGetValue(hook, out var queue) || queue.IsFull || HookJson.BytesOf(written) > options.MaxObjectBytes || !TryAdd(queue, key, written))
        {
            statistics.Drop();
        }
    }

    /// <summary>Lets what waits be told, for as long as a hook may take to answer, and drops the rest.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(queues.Values.Select(queue => queue.StopAsync(options.Timeout)));
        foreach (var queue in queues.Values)
        {
            queue.Dispose();
        }

        http.Dispose();
        statistics.Dispose();
    }

    /// <summary>Written out now, since the value is its client's, who may be gone by then; in memory that is taken before.</summary>
    private bool TryAdd(PostCommitQueue queue, ObjectKey key, KvObject written)
    {
        var room = (HookJson.BytesOf(written) * CopiesOfText) + BytesBesideValue;
        if (!memory.TryTake(room))
        {
            return false;
        }

        try
        {
            return queue.TryAdd(HookJson.Write(key, written).ToArray());
        }
        catch (OutOfMemoryException)
        {
            // The write is done, and its client is told so.
            return false;
        }
        finally
        {
            memory.Release(room);
        }
    }

    private async ValueTask<PreCommitAnswer> TryAskAsync(HookEndpoint endpoint, ObjectKey key, KvObject proposed, TimeSpan atMost)
    {
        var bytes = HookJson.BytesOf(proposed);
        if (bytes > options.MaxObjectBytes)
        {
            return Failed(endpoint, $"is shown objects of at most {options.MaxObjectBytes} bytes, and this one has {bytes}");
        }

        var room = (bytes * CopiesOfValue) + BytesBesideValue;
        if (Interlocked.Increment(ref asking) > options.MaxCalls || !memory.TryTakeMore(room))
        {
            Interlocked.Decrement(ref asking);
            return new PreCommitAnswer.Overloaded();
        }

        try
        {
            var json = HookJson.Write(key, proposed);
            var longest = (int)(2 * bytes) + (BytesBesideValue / 2);
            var reply = await http.PostAsync(endpoint, Event, json, longest, atMost < options.Timeout ? atMost : options.Timeout, CancellationToken.None);
            return Judge(endpoint, reply, proposed.Siblings[0]);
        }
        finally
        {
            memory.Release(room);
            Interlocked.Decrement(ref asking);
        }
    }

    private static PreCommitAnswer Judge(HookEndpoint endpoint, HookReply reply, Sibling sent) => reply switch
    {
        { Problem: { } problem } => Failed(endpoint, $"{problem}"),
        { Status: 403 } => new PreCommitAnswer.Refused(MessageOf(reply.Body.Span)),
        { Status: 200 or 204, Body.IsEmpty: true } => new PreCommitAnswer.Accepted(),
        { Status: 200 } => HookJson.TryReadContent(reply.Body, sent, out var content, out var problem)
            ? new PreCommitAnswer.Replaced(content)
            : Failed(endpoint, $"answered with an object that cannot be taken: {problem}"),
        _ => Failed(endpoint, $"answered with status {reply.Status}"),
    };

    private static PreCommitAnswer.Failed Failed(HookEndpoint endpoint, FormattableString what) =>
        new($"the precommit hook {endpoint.Name} {what.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>A hook's words on one line, of a length that has a bound.</summary>
    private static string MessageOf(ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, 4 * LongestMessage)]).Trim();
        return string.Concat(text.Take(LongestMessage).Select(c => char.IsControl(c) ? ' ' : c));
    }

    private static string NameOf(PreCommitAnswer answer) => answer switch
    {
        PreCommitAnswer.Accepted => "accepted",
        PreCommitAnswer.Replaced => "replaced",
        PreCommitAnswer.Refused => "refused",
        PreCommitAnswer.Failed => "failed",
        _ => "overloaded",
    };

    private void Note(HookEndpoint endpoint, PreCommitAnswer answer)
    {
        if (answer is PreCommitAnswer.Failed failed)
        {
            if (failing.TryAdd(endpoint.Name, true))
            {
                LogFailing(endpoint.Address, failed.Reason);
            }
        }
        else if (answer is not PreCommitAnswer.Overloaded && !failing.IsEmpty && failing.TryRemove(endpoint.Name, out _))
        {
            LogWorking(endpoint.Name);
        }
    }

    [LoggerMessage(2601, LogLevel.Warning, "at {Address}: {Problem}; more of the same is not logged until it works")]
    private partial void LogFailing(Uri address, string problem);

    [LoggerMessage(2602, LogLevel.Information, "the precommit hook {Hook} works again")]
    private partial void LogWorking(string hook);
}
