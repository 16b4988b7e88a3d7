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
    private DateTimeOffset seenAt;

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
        var renewed = time.GetUtcNow();
        while (true)
        {
            await Task.Delay(RetryPeriod, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancel.IsCancellationRequested)
            {
                await ReleaseAsync();
                return false;
            }

            if (await TryAsync(cancel))
            {
                renewed = time.GetUtcNow();
            }
            else if (time.GetUtcNow() - renewed > RenewDeadline)
            {
                LogLost(identity);
                return true;
            }
        }
    }

    private async Task<bool> TryAsync(CancellationToken cancel)
    {
        try
        {
            var lease = await api.GetAsync(ResourceKind.Lease, @namespace, name, cancel);
            if (lease is null)
            {
                await api.CreateAsync(ResourceKind.Lease, @namespace, Body(null, transitions: 0), cancel);
                return true;
            }

            var spec = lease["spec"] as JsonObject ?? [];
            var holder = spec["holderIdentity"]?.ToString() ?? "";
            var record = spec.ToJsonString();
            if (record != seenRecord)
            {
                (seenRecord, seenAt) = (record, time.GetUtcNow());
            }

            var duration = TimeSpan.FromSeconds(spec["leaseDurationSeconds"]?.GetValue<int>() ?? (int)LeaseDuration.TotalSeconds);
            if (holder.Length > 0 && holder != identity && time.GetUtcNow() - seenAt < duration)
            {
                return false;
            }

            var transitions = spec["leaseTransitions"]?.GetValue<int>() ?? 0;
            await api.ReplaceAsync(ResourceKind.Lease, @namespace, name, Body(lease, holder == identity ? transitions : transitions + 1), cancel);
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
