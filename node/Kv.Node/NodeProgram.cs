using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kv.Core.Stores;
using Kv.Storage;
using Kv.Wire;
using Microsoft.Extensions.Logging.Console;

namespace Kv.Node;

/// <summary>
/// The process: settings, memory, signals, and how it ends. Exit codes: 0 after a clean stop, 1 when the node could not start or failed, 2 for settings
/// that will not do, 130 when a second signal cut the stop short.
/// </summary>
public static partial class NodeProgram
{
    private const int MinWorkerThreads = 8;
    private const int Clean = 0;
    private const int Failure = 1;
    private const int BadSettings = 2;
    private const int Interrupted = 130;
    private static readonly TimeSpan CutOffPatience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] arguments)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal);
        var settings = NodeSettings.Read(arguments, environment, File.ReadAllText);
        if (settings.HelpAsked || settings.VersionAsked)
        {
            await Console.Out.WriteLineAsync(settings.HelpAsked ? NodeOptionsValidator.Help().TrimEnd() : NodeComposition.Version);
            return Clean;
        }

        var (options, problems) = NodeOptionsValidator.Validate(settings, Dns.GetHostName());
        if (options is null)
        {
            foreach (var problem in problems)
            {
                await Console.Error.WriteLineAsync("kv-node: " + problem);
            }

            return BadSettings;
        }

        using var loggers = CreateLoggers(options);
        var logger = loggers.CreateLogger("Kv.Node");
        foreach (var variable in settings.UnknownVariables)
        {
            LogUnknown(logger, variable);
        }

        SizeProcess(options, logger);
        return await RunNodeAsync(options, loggers, logger);
    }

    private static async Task<int> RunNodeAsync(NodeOptions options, ILoggerFactory loggers, ILogger logger)
    {
        using var stopping = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, stopping));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, stopping));
        var node = new NodeComposition(options, loggers, NodeStorages.Open);
        try
        {
            // A start may wait for what a store that failed meanwhile will never do.
            var starting = node.StartAsync(stopping.Token);
            if (await Task.WhenAny(starting, node.Failed) == starting)
            {
                await starting;
                var stop = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping.Token);
                await Task.WhenAny(stop, node.Failed);
            }

            if (node.Failed.IsCompleted)
            {
                return await FailAsync(node, logger, "storage failed: " + (await node.Failed).Message);
            }

            return await StopAsync(node, options, logger);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return await StopAsync(node, options, logger);
        }
        catch (Exception e) when (e is NodeStartException or StoreException or IOException or SocketException or UnauthorizedAccessException)
        {
            return await FailAsync(node, logger, e.Message);
        }
    }

    private static async Task<int> StopAsync(NodeComposition node, NodeOptions options, ILogger logger)
    {
        LogStopping(logger, options.Name);
        using var limit = new CancellationTokenSource(options.StopTimeout, TimeProvider.System);
        var ending = EndAsync(node, limit.Token);
        var last = Task.Delay(options.StopTimeout + TimeSpan.FromSeconds(5), TimeProvider.System, CancellationToken.None);
        if (await Task.WhenAny(ending, last) == last)
        {
            return await FailAsync(node, logger, "the stop took too long and was cut off; what is on disk is recovered at the next start");
        }

        try
        {
            await ending;
        }
        catch (Exception e) when (e is StoreException or IOException or OperationCanceledException)
        {
            return await FailAsync(node, logger, "the stop was not clean: " + e.Message);
        }

        LogStopped(logger, options.Name);
        return Clean;
    }

    private static async Task EndAsync(NodeComposition node, CancellationToken cancel)
    {
        await node.StopAsync(cancel);
        await node.DisposeAsync();
    }

    private static void OnSignal(PosixSignalContext context, CancellationTokenSource stopping)
    {
        context.Cancel = true;
        if (stopping.IsCancellationRequested)
        {
            Environment.Exit(Interrupted);
        }

        stopping.Cancel();
    }

    /// <summary>The process ends with this line whatever else was logged; a failed store is not closed but recovered at the next start.</summary>
    private static async Task<int> FailAsync(NodeComposition node, ILogger logger, string reason)
    {
        LogFailed(logger, reason);
        using var soon = new CancellationTokenSource(CutOffPatience / 2, TimeProvider.System);
        await Task.WhenAny(node.CutOffAsync(soon.Token), Task.Delay(CutOffPatience, TimeProvider.System, CancellationToken.None));
        await Console.Error.WriteLineAsync("kv-node: " + reason);
        return Failure;
    }

    private static void SizeProcess(NodeOptions options, ILogger logger)
    {
        var limit = MemoryLimit.Bytes(options);
        MemoryLimit.Apply(limit);

        // Reads that go to disk wait on pool threads now and then: the pool must not grow by one thread a second then. Many more than the cores can run
        // cost more than they bring, since each is woken for what one that runs would have taken up next (node/docs/benchmark.md).
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, MinWorkerThreads), ports);
        var budget = NodeStorages.Budget(options);
        LogMemory(logger, budget.Fits ? LogLevel.Information : LogLevel.Warning, budget);
    }

    private static ILoggerFactory CreateLoggers(NodeOptions options) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(options.LogLevel);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);
        logging.AddFilter(CallFailures.LibraryCategory, LogLevel.None);
        if (options.JsonLog)
        {
            logging.AddJsonConsole(console => SetFormat(console, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                SetFormat(console, "yyyy-MM-ddTHH:mm:ss.fffZ ");
                console.SingleLine = true;
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    });

    private static void SetFormat(ConsoleFormatterOptions console, string timestamp)
    {
        console.TimestampFormat = timestamp;
        console.UseUtcTimestamp = true;
    }

    [LoggerMessage(EventId = 1101, Message = "{Budget}")]
    private static partial void LogMemory(ILogger logger, LogLevel level, MemoryBudget budget);

    [LoggerMessage(1102, LogLevel.Information, "node {Name} stops")]
    private static partial void LogStopping(ILogger logger, string name);

    [LoggerMessage(1103, LogLevel.Information, "node {Name} has stopped")]
    private static partial void LogStopped(ILogger logger, string name);

    [LoggerMessage(1104, LogLevel.Critical, "node ends: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);

    [LoggerMessage(1105, LogLevel.Warning, "{Variable} in the environment is no setting (see --help) and says nothing")]
    private static partial void LogUnknown(ILogger logger, string variable);
}
