using Kv.Chaos.Machines;

namespace Kv.Chaos.Rings;

/// <summary>
/// A place for a node: its namespace, volume and clock, and the process that runs there while it is wanted and nothing holds it down. Holds are counted, so that
/// faults may overlap. One that ended is started again, as an orchestrator would.
/// </summary>
internal sealed class ChaosNode(int slot, ChaosOptions options, Action<string> say) : IDisposable
{
    private static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxRestartDelay = TimeSpan.FromSeconds(8);

    /// <summary>Of a process that a kill -9 of another fault met on its way out.</summary>
    private const int KilledCode = 128 + Signals.Kill;

    private readonly Lock gate = new();
    private readonly List<string> unexplained = [];
    private NodeProcess? process;
    private bool isEndExpected;
    private bool isWanted;
    private bool refuses;
    private int refusals;
    private int holdsDown;
    private int holdsPaused;
    private TimeSpan delay = RestartDelay;
    private DateTimeOffset notBefore;

    public int Slot => slot;

    public string Name { get; } = Network.NamespaceOf(slot);

    public string Address { get; } = Network.AddressOf(slot);

    public Volume Volume { get; } = new(Path.Combine(options.Report, "volumes", Network.NamespaceOf(slot)));

    public NodeClock Clock { get; } = new(Path.Combine(options.Report, "clocks", Network.NamespaceOf(slot)));

    public string LogFile { get; } = Path.Combine(options.Report, "logs", Network.NamespaceOf(slot) + ".log");

    /// <summary>Seconds between two comparisons of a pair of replicas: a run is to see several.</summary>
    private const string ExchangeInterval = "15";

    /// <summary>Bytes that the node is told it may use.</summary>
    public static long MemoryLimitBytes => 1L << 30;

    /// <summary>Ends of its process that nobody asked for and nothing explains.</summary>
    public IReadOnlyList<string> Unexplained
    {
        get
        {
            lock (gate)
            {
                return [.. unexplained];
            }
        }
    }

    public int Starts { get; private set; }

    /// <summary>Ends of its process since a file that it does not start without rotted; 0 while none is.</summary>
    public int Refusals
    {
        get
        {
            lock (gate)
            {
                return refusals;
            }
        }
    }

    /// <summary>When it last had no room on its disk; what it says of errors then is no fault of its own.</summary>
    public List<(DateTimeOffset From, DateTimeOffset To)> FullTimes { get; } = [];

    /// <summary>Partitions whose files here were made to rot: what it says of their damage is no fault of its own.</summary>
    public List<int> Rotten { get; } = [];

    /// <summary>Files of the whole node that were made to rot: that it names them is no fault of its own.</summary>
    public List<string> RottenFiles { get; } = [];

    public bool IsWanted
    {
        get
        {
            lock (gate)
            {
                return isWanted;
            }
        }
    }

    /// <summary>Whether its process runs, paused or not.</summary>
    public bool IsRunning
    {
        get
        {
            lock (gate)
            {
                return process is { HasExited: false };
            }
        }
    }

    public long ResidentBytes
    {
        get
        {
            lock (gate)
            {
                return process is { HasExited: false } ? process.ResidentBytes : 0;
            }
        }
    }

    public string Endpoint(int port) => FormattableString.Invariant($"{Address}:{port}");

    public void Want()
    {
        lock (gate)
        {
            isWanted = true;
        }

        Look();
    }

    /// <summary>Not to be started again; a running process goes on until it is ended.</summary>
    public void Unwant()
    {
        lock (gate)
        {
            isWanted = false;
        }
    }

    /// <summary>kill -9, and down until released.</summary>
    public void HoldDown()
    {
        lock (gate)
        {
            holdsDown++;
            Kill();
        }
    }

    /// <summary>SIGTERM, and down until released; what went wrong with the end, or null.</summary>
    public Task<string?> HoldStoppedAsync(TimeSpan patience)
    {
        lock (gate)
        {
            holdsDown++;
        }

        return StopAsync(patience);
    }

    public void ReleaseDown()
    {
        lock (gate)
        {
            holdsDown--;
            notBefore = default;
        }

        Look();
    }

    /// <summary>Waits until a process that was killed is gone.</summary>
    public async Task GoneAsync()
    {
        NodeProcess? ending;
        lock (gate)
        {
            ending = process;
        }

        if (ending is not null)
        {
            await ending.EndedAsync(CancellationToken.None);
        }
    }

    public void HoldPaused()
    {
        lock (gate)
        {
            if (++holdsPaused == 1 && process is { HasExited: false })
            {
                process.Send(Signals.Stop);
            }
        }
    }

    public void ReleasePaused()
    {
        lock (gate)
        {
            if (--holdsPaused == 0 && process is { HasExited: false })
            {
                process.Send(Signals.Continue);
            }
        }
    }

    /// <summary>Its disk has no room from now on: that it ends, or says so, is what it should do.</summary>
    public void HoldFull()
    {
        lock (gate)
        {
            FullTimes.Add((DateTimeOffset.UtcNow, DateTimeOffset.MaxValue));
        }
    }

    public void ReleaseFull()
    {
        lock (gate)
        {
            // A node that was about to end may take a moment for it.
            FullTimes[^1] = (FullTimes[^1].From, DateTimeOffset.UtcNow + TimeSpan.FromSeconds(10));
        }
    }

    /// <summary>A file rotted without which it does not start: that it ends is what it should do, until the file is gone.</summary>
    public void HoldRefusing(string file)
    {
        lock (gate)
        {
            RottenFiles.Add(file);
            (refuses, refusals) = (true, 0);
        }
    }

    public void ReleaseRefusing()
    {
        lock (gate)
        {
            (refuses, refusals) = (false, 0);
        }
    }

    /// <summary>SIGTERM, and the wait for the end: what went wrong with it, or null.</summary>
    public async Task<string?> StopAsync(TimeSpan patience)
    {
        NodeProcess ending;
        lock (gate)
        {
            if (process is null or { HasExited: true })
            {
                return null;
            }

            ending = process;
            isEndExpected = true;
            ending.Send(Signals.Term);
        }

        using var limit = new CancellationTokenSource(patience);
        try
        {
            await ending.EndedAsync(limit.Token);
            return ending.ExitCode is 0 or KilledCode || IsFullNow ? null : $"{Name} ended with {ending.ExitCode} when it was asked to stop";
        }
        catch (OperationCanceledException)
        {
            ending.Send(Signals.Kill);
            return $"{Name} did not stop within {patience.TotalSeconds:0} s and was killed";
        }
    }

    /// <summary>Starts it if it is due, and notices an end. Called now and then.</summary>
    public void Look()
    {
        lock (gate)
        {
            NoteEnd();
            if (isWanted && holdsDown == 0 && process is null && DateTimeOffset.UtcNow >= notBefore)
            {
                Start();
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isWanted = false;
            Kill();
        }
    }

    private bool IsFullNow => FullTimes.Any(time => time.From <= DateTimeOffset.UtcNow && DateTimeOffset.UtcNow <= time.To);

    private void NoteEnd()
    {
        if (process is not { HasExited: true } ended)
        {
            return;
        }

        if (!isEndExpected)
        {
            var what = $"{Name} ended by itself with {ended.ExitCode}";
            var isRefusal = refuses && ended.ExitCode != 0;
            refusals += isRefusal ? 1 : 0;
            say(IsFullNow ? what + ", its disk being full" : isRefusal ? what + ", a file being rotten" : what);
            if (!IsFullNow && !isRefusal)
            {
                unexplained.Add(what);
            }

            notBefore = DateTimeOffset.UtcNow + delay;
            delay = delay < MaxRestartDelay ? delay * 2 : delay;
        }

        process = null;
        isEndExpected = false;
    }

    private void Start()
    {
        Directory.CreateDirectory(Volume.Data);
        string[] arguments = ["--name", Name, "--data", Volume.Data, "--listen", Address, "--memory-limit", MemoryLimitBytes.ToString(System.Globalization.CultureInfo.InvariantCulture), "--stores", "32", "--exchange-interval-seconds", ExchangeInterval];
        process = NodeProcess.Start(Name, LogFile, Clock.Environment, options.NodeBinary, arguments);
        Starts++;
        if (holdsPaused > 0)
        {
            process.Send(Signals.Stop);
        }
    }

    private void Kill()
    {
        if (process is { HasExited: false })
        {
            isEndExpected = true;
            process.Send(Signals.Kill);
        }
    }
}
