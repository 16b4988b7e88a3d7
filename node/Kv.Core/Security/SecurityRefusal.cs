namespace Kv.Core.Security;

/// <summary>The words by which a change of security is refused (riak_core_security), never changed since programs compare them.</summary>
public static class SecurityRefusal
{
    /// <summary>A user or group of that name exists.</summary>
    public const string RoleExists = "role_exists";

    public const string ReservedName = "reserved_name";
    public const string IllegalName = "illegal_name_char";
    public const string UnknownUser = "unknown_user";
    public const string UnknownGroup = "unknown_group";
    public const string UnknownUsers = "unknown_users";
    public const string UnknownGroups = "unknown_groups";
    public const string UnknownRoles = "unknown_roles";

    /// <summary>A bare name is a user's and a group's.</summary>
    public const string DuplicateRoles = "duplicate_roles";

    public const string UnknownPermission = "unknown_permission";
    public const string InvalidOption = "invalid_option";
    public const string InvalidSource = "invalid_source";
    public const string InvalidScope = "invalid_scope";

    /// <summary>A bound of <see cref="SecurityState"/> is reached.</summary>
    public const string TooMany = "too_many";

    /// <summary>Some member runs a program that does not know of security, or was not heard.</summary>
    public const string NotSupported = "not_supported";
}
