using System.Globalization;
using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>
/// One leader among the replicas, by a Lease. Whether another's lease has run out is told by our own clock, from when we first saw its last renewal.
/// The lease is given back at the end, so that the next leader need not wait; a leader that cannot renew in time is none any more, and the process ends.
/// </summary>
internal sealed partial class LeaderElection(IKubernetesApi api, string @namespace, string name, string identity, TimeProvider time, ILogger logger)
{
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan RenewDeadline = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(3);

    private string seenRecord = "";
    private long seenAt;

    /// <summary>When the last renewal that went well began, by a clock that nobody sets.</summary>
    private long renewedAt;

    /// <summary>The last try found it held by another.</summary>
    private bool isAnothers;

    /// <summary>Waits until the lease is ours.</summary>
    public async Task AcquireAsync(CancellationToken cancel)
    {
        while (!await TryAsync(cancel))
        {
            await Task.Delay(RetryPeriod, time, cancel);
        }

        LogLeading(identity);
    }

    /// <summary>Keeps the lease until cancelled (then it is given back) or lost; true if it was lost.</summary>
    public async Task<bool> HoldAsync(CancellationToken cancel)
    {
        var isHeld = true;
        while (isHeld)
        {
            // From before the renewal was sent: the others count from when it arrived. A request that hangs is not waited for any longer.
            var left = RenewDeadline - time.GetElapsedTime(renewedAt);
            using var deadline = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
            isHeld = await RenewAsync(either.Token);
        }

        if (cancel.IsCancellationRequested)
        {
            await ReleaseAsync();
            return false;
        }

        LogLost(identity);
        return true;
    }

    /// <summary>Tries until it is renewed; false if it is another's, or cancelled.</summary>
    private async Task<bool> RenewAsync(CancellationToken cancel)
    {
        try
        {
            do
            {
                await Task.Delay(RetryPeriod, time, cancel);
                if (await TryAsync(cancel))
                {
                    return true;
                }
            }
            while (!isAnothers);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The time was up, or the end was asked for: the caller knows which.
        }

        return false;
    }

    private async Task<bool> TryAsync(CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        isAnothers = false;
        try
        {
            var lease = await api.GetAsync(ResourceKind.Lease, @namespace, name, cancel);
            if (lease is null)
            {
                await api.CreateAsync(ResourceKind.Lease, @namespace, Body(null, transitions: 0), cancel);
                renewedAt = began;
                return true;
            }

            var spec = lease["spec"] as JsonObject ?? [];
            var holder = spec["holderIdentity"]?.ToString() ?? "";
            var record = spec.ToJsonString();
            if (record != seenRecord)
            {
                (seenRecord, seenAt) = (record, time.GetTimestamp());
            }

            var duration = TimeSpan.FromSeconds(spec["leaseDurationSeconds"]?.GetValue<int>() ?? (int)LeaseDuration.TotalSeconds);
            if (holder.Length > 0 && holder != identity && time.GetElapsedTime(seenAt) < duration)
            {
                isAnothers = true;
                return false;
            }

            var transitions = spec["leaseTransitions"]?.GetValue<int>() ?? 0;
            await api.ReplaceAsync(ResourceKind.Lease, @namespace, name, Body(lease, holder == identity ? transitions : transitions + 1), cancel);
            renewedAt = began;
            return true;
        }
        catch (KubernetesApiException e) when (e.IsConflict)
        {
            return false;
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
        {
            LogFailed(name, e.Message);
            return false;
        }
    }

    /// <summary>An empty holder, and a lease of a second: no duration and no holder at all are refused or misread by others.</summary>
    private async Task ReleaseAsync()
    {
        try
        {
            // The end was asked for, so the token that asked is of no use here; the request has a limit of its own.
            var lease = await api.GetAsync(ResourceKind.Lease, @namespace, name, CancellationToken.None);
            if (lease?["spec"]?["holderIdentity"]?.ToString() == identity)
            {
                var body = Body(lease, lease["spec"]!["leaseTransitions"]?.GetValue<int>() ?? 0);
                body["spec"]!["holderIdentity"] = "";
                body["spec"]!["leaseDurationSeconds"] = 1;
                await api.ReplaceAsync(ResourceKind.Lease, @namespace, name, body, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
        {
            LogFailed(name, e.Message);
        }
    }

    private JsonObject Body(JsonObject? lease, int transitions)
    {
        var now = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        var isOurs = lease?["spec"]?["holderIdentity"]?.ToString() == identity;
        var metadata = new JsonObject { ["name"] = name, ["namespace"] = @namespace };
        if (lease?["metadata"]?["resourceVersion"]?.ToString() is { } version)
        {
            metadata["resourceVersion"] = version;
        }

        return new JsonObject
        {
            ["apiVersion"] = ResourceKind.Lease.ApiVersion,
            ["kind"] = ResourceKind.Lease.Kind,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["holderIdentity"] = identity,
                ["leaseDurationSeconds"] = (int)LeaseDuration.TotalSeconds,
                ["acquireTime"] = isOurs ? lease!["spec"]!["acquireTime"]?.ToString() ?? now : now,
                ["renewTime"] = now,
                ["leaseTransitions"] = transitions,
            },
        };
    }

    [LoggerMessage(EventId = 111, Level = LogLevel.Information, Message = "{Identity} leads")]
    private partial void LogLeading(string identity);

    [LoggerMessage(EventId = 112, Level = LogLevel.Error, Message = "{Identity} could not renew its lease in time and leads no more")]
    private partial void LogLost(string identity);

    [LoggerMessage(EventId = 113, Level = LogLevel.Warning, Message = "lease {Name}: {Why}")]
    private partial void LogFailed(string name, string why);
}
