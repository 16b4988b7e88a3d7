using System.CommandLine;
using System.Text;
using Google.Protobuf;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv security</c>: users, groups, sources and grants, by the commands of Riak's <c>riak-admin security</c>.</summary>
internal static class SecurityCommand
{
    private const string Options = "Options as NAME=VALUE: groups=A,B (the groups that it is in); others are kept and mean nothing.";
    private const string UserOptions = Options + " password=- reads the password from standard input; given otherwise, it stays in the shell's history.";
    private const string GrantUsage = "PERMISSIONS on any|TYPE [BUCKET] to ROLES";
    private const string RevokeUsage = "PERMISSIONS on any|TYPE [BUCKET] from ROLES";

    private const string Examples = """
        kv security add-user ada password=- groups=staff
        kv security add-source all 10.0.0.0/8 password
        kv security grant riak_kv.get,riak_kv.put on carts eu to ada
        kv security print-grants ada
        kv security enable
        """;

    public static Command Create(CommandSession session)
    {
        var command = new Command("security", "Show and change who may connect and what they may do. Lists are written with commas: ada,bob.")
        {
            Switch(session, "enable", "Have clients show who they are, by TLS, from now on. Everything that is not granted is refused.", isOn: true),
            Switch(session, "disable", "Serve everybody again.", isOn: false),
            Show(session, "status", "Show whether security is on.", "", PrintStatus),
            Change(session, "add-user", $"Add a user. {UserOptions}", "NAME [OPTION...]", (values, password) => new() { AddUser = Role(values, password, isUser: true) }),
            Change(session, "alter-user", $"Change a user. {UserOptions}", "NAME OPTION...", (values, password) => new() { AlterUser = Role(values, password, isUser: true) }),
            Change(session, "del-user", "Delete a user, with its sources and grants.", "NAME", (values, _) => new() { DeleteUser = Single(values) }),
            Change(session, "add-group", $"Add a group. {Options}", "NAME [OPTION...]", (values, _) => new() { AddGroup = Role(values, null, isUser: false) }),
            Change(session, "alter-group", $"Change a group. {Options}", "NAME OPTION...", (values, _) => new() { AlterGroup = Role(values, null, isUser: false) }),
            Change(session, "del-group", "Delete a group, with its grants.", "NAME", (values, _) => new() { DeleteGroup = Single(values) }),
            Change(session, "add-source", "Say how users who connect from a network show who they are: trust, password or certificate.", "all|USERS NETWORK SOURCE [OPTION...]", (values, _) => new() { AddSource = Source(values) }),
            Change(session, "del-source", "Delete the source of users and a network.", "all|USERS NETWORK", (values, _) => new() { DeleteSource = NoSource(values) }),
            Change(session, "grant", "Grant permissions (riak_kv.get, …) to users and groups.", GrantUsage, (values, _) => new() { Grant = Grant(values, "to", GrantUsage) }),
            Change(session, "revoke", "Take permissions away.", RevokeUsage, (values, _) => new() { Revoke = Grant(values, "from", RevokeUsage) }),
            Show(session, "print-users", "List all users.", "", (tables, security, _) => SecurityOutput.PrintRoles(tables, security.Users, isUsers: true)),
            Show(session, "print-user", "Show a user and its grants.", "NAME", (tables, security, name) => SecurityOutput.PrintRole(tables, security, name, isUser: true)),
            Show(session, "print-groups", "List all groups.", "", (tables, security, _) => SecurityOutput.PrintRoles(tables, security.Groups, isUsers: false)),
            Show(session, "print-group", "Show a group and its grants.", "NAME", (tables, security, name) => SecurityOutput.PrintRole(tables, security, name, isUser: false)),
            Show(session, "print-sources", "List all sources, in the order in which they are tried.", "", (tables, security, _) => SecurityOutput.PrintSources(tables, security.Sources)),
            Show(session, "print-grants", "List the grants of a user or group, those of its groups and of all among them; or all grants.", "[NAME]", SecurityOutput.PrintGrants),
        };
        session.AddExamples(command, Examples);
        return command;
    }

    private static Command Switch(CommandSession session, string verb, string description, bool isOn)
    {
        var command = new Command(verb, description);
        session.Bind(command, (parsed, caller, cancel) => SendAsync(session, parsed, caller, new ChangeSecurityRequest { Enable = isOn }, cancel));
        return command;
    }

    private static Command Change(CommandSession session, string verb, string description, string usage, Func<string[], string?, ChangeSecurityRequest> read)
    {
        var argument = new Argument<string[]>(usage) { Description = "As above.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(verb, description) { argument };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var values = session.Values(parsed, argument);
            var request = read(values, null);
            if (values.Any(value => value.StartsWith("password=", StringComparison.Ordinal)) && !(await caller.OpenAsync(cancel)).IsPrivate)
            {
                throw CliException.Usage("a password does not go over the network in the open: name the authorities of the nodes' certificates with --tls-ca");
            }

            if (values.Contains("password=-"))
            {
                request = read(values, await PasswordAsync(session, caller, cancel));
            }

            return await SendAsync(session, parsed, caller, request, cancel);
        });
        return command;
    }

    private static Command Show(CommandSession session, string verb, string description, string usage, Action<TablePrinter, Security, string> print)
    {
        var argument = new Argument<string[]>(usage.Length == 0 ? "NOTHING" : usage) { Arity = ArgumentArity.ZeroOrMore, Hidden = usage.Length == 0 };
        var command = new Command(verb, description) { argument };
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var name = (session.Values(parsed, argument), usage) switch
            {
                ([], "" or "[NAME]") => "",
                ([var only], not "") when only.Length > 0 => only,
                ([], _) => throw CliException.Usage("name whom to show"),
                _ => throw CliException.Usage("too many names"),
            };
            var security = await caller.AdminAsync((client, options) => client.GetSecurityAsync(new GetSecurityRequest(), options), cancel);
            if (session.IsJson(parsed))
            {
                await session.WriteJsonAsync(SecurityOutput.ToJson(security, name), cancel);
            }
            else
            {
                print(session.Tables, security, name);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<ExitCode> SendAsync(CommandSession session, ParseResult parsed, NodeCaller caller, ChangeSecurityRequest request, CancellationToken cancel)
    {
        var security = await caller.AdminAsync((client, options) => client.ChangeSecurityAsync(request, options), cancel);
        if (session.IsJson(parsed))
        {
            await session.WriteJsonAsync(SecurityOutput.ToJson(security, ""), cancel);
        }
        else
        {
            session.Tables.Line(Done(request));
        }

        return ExitCode.Ok;
    }

    private static string Done(ChangeSecurityRequest request) => request.ChangeCase switch
    {
        ChangeSecurityRequest.ChangeOneofCase.Enable => request.Enable ? "Enabled" : "Disabled",
        ChangeSecurityRequest.ChangeOneofCase.DeleteUser => $"Successfully deleted {request.DeleteUser}",
        ChangeSecurityRequest.ChangeOneofCase.DeleteGroup => $"Successfully deleted {request.DeleteGroup}",
        ChangeSecurityRequest.ChangeOneofCase.AddSource => "Successfully added source",
        ChangeSecurityRequest.ChangeOneofCase.DeleteSource => "Deleted source",
        ChangeSecurityRequest.ChangeOneofCase.Grant => "Successfully granted",
        ChangeSecurityRequest.ChangeOneofCase.Revoke => "Successfully revoked",
        _ => "Done",
    };

    private static void PrintStatus(TablePrinter tables, Security security, string name) => tables.Line(security.Enabled ? "Enabled" : "Disabled");

    /// <summary>The first line, without its end: what a person or `printf` writes.</summary>
    private static async Task<string> PasswordAsync(CommandSession session, NodeCaller caller, CancellationToken cancel)
    {
        var text = Encoding.UTF8.GetString((await StandardInput.ReadAsync(session, caller, cancel)).Span);
        return text.Split('\n', 2)[0].TrimEnd('\r') is { Length: > 0 } password ? password : throw CliException.Usage("standard input has no password in its first line");
    }

    private static string Single(string[] values) => values is [{ Length: > 0 } name] ? name : throw CliException.Usage("name one user or group");

    private static RoleChange Role(string[] values, string? password, bool isUser)
    {
        if (values is not [{ Length: > 0 } name, ..])
        {
            throw CliException.Usage("name the user or group");
        }

        var change = new RoleChange { Name = name };
        foreach (var (option, value) in OptionsOf(values[1..]))
        {
            switch (option)
            {
                case "password" when isUser:
                    change.Password = password ?? value;
                    break;
                case "groups":
                    change.Groups = new RoleNames { Names = { ListOf(value) } };
                    break;
                default:
                    change.Options[option] = value;
                    break;
            }
        }

        return change;
    }

    private static SourceChange Source(string[] values)
    {
        if (values is not [var users, var network, var kind, .. var options])
        {
            throw CliException.Usage("name users (or all), a network such as 10.0.0.0/8, and trust, password or certificate");
        }

        var change = new SourceChange { Users = { ListOf(users) }, Network = network, Kind = kind };
        foreach (var (option, value) in OptionsOf(options))
        {
            change.Options[option] = value;
        }

        return change;
    }

    private static SourceChange NoSource(string[] values) => values is [var users, var network]
        ? new SourceChange { Users = { ListOf(users) }, Network = network }
        : throw CliException.Usage("name users (or all) and a network such as 10.0.0.0/8");

    private static GrantChange Grant(string[] values, string word, string usage)
    {
        var (permissions, scope, roles) = values switch
        {
            [var p, "on", var type, var at, var r] when at == word => (p, new[] { type }, r),
            [var p, "on", var type, var bucket, var at, var r] when at == word && type != "any" => (p, new[] { type, bucket }, r),
            _ => throw CliException.Usage($"it takes {usage}"),
        };
        return new GrantChange
        {
            Permissions = { ListOf(permissions) },
            BucketType = scope[0] == "any" ? "" : scope[0],
            Bucket = scope.Length > 1 ? ByteString.CopyFromUtf8(scope[1]) : ByteString.Empty,
            Roles = { ListOf(roles) },
        };
    }

    private static string[] ListOf(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IEnumerable<(string Name, string Value)> OptionsOf(string[] values) => values.Select(value => value.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (value[..at].ToLowerInvariant(), value[(at + 1)..])
        : throw CliException.Usage("options are of the form key=value"));
}
